/** Organizations that an administrator of the platform wants at hand, kept in this browser. */
import { computed } from 'vue'
import { preferences } from '@gatehouse/ui'

/** How many are kept: more are no favourites. */
export const MOST = 30

export function useFavourites() {
  const list = computed(() => preferences.favouriteOrganizations)
  return {
    list,
    has: (id: string) => list.value.some((o) => o.id === id),
    toggle: (o: { id: string; name: string }) => {
      preferences.favouriteOrganizations = list.value.some((x) => x.id === o.id)
        ? list.value.filter((x) => x.id !== o.id)
        : [{ id: o.id, name: o.name }, ...list.value].slice(0, MOST)
    },
    drop: (id: string) => {
      preferences.favouriteOrganizations = list.value.filter((x) => x.id !== id)
    },
  }
}
