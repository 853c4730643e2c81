/** The organizations that somebody can go to, wants at hand and used last; the server keeps them. */
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, watch } from 'vue'
import { data, may, secondStepAddress, session, switchOrganization, tenantManager, type TenantSchemas } from '@gatehouse/api'
import { preferences } from '../preferences'
import { useNotice } from './useNotice'

export type OrganizationName = TenantSchemas['OrganizationName']
export type MyOrganization = TenantSchemas['MyOrganization']

const KEY = ['my-organizations']

export function useOrganizations() {
  const queries = useQueryClient()
  const notice = useNotice()
  const query = useQuery({
    queryKey: KEY,
    enabled: () => session.value.signedIn && !session.value.factorRequired,
    staleTime: 60_000,
    queryFn: ({ signal }) => data(tenantManager.GET('/me/organizations', { signal })),
  })
  const mine = computed<MyOrganization[]>(() => query.data.value?.items ?? [])
  const favourites = computed<OrganizationName[]>(() => query.data.value?.favourites ?? [])
  const recent = computed<OrganizationName[]>(() => query.data.value?.recent ?? [])
  const write = (id: string, body: { favourite?: boolean; used?: boolean }) => data(tenantManager.PUT('/me/organizations/{id}', { params: { path: { id } }, body }))

  async function toggle(o: OrganizationName) {
    const before = query.data.value
    const has = favourites.value.some((f) => f.id === o.id)
    // At once, and taken back where it fails.
    if (before) queries.setQueryData(KEY, { ...before, favourites: has ? before.favourites.filter((f) => f.id !== o.id) : [...before.favourites, { id: o.id, slug: o.slug, name: o.name }] })
    try {
      await write(o.id, { favourite: !has })
    } catch (error) {
      queries.setQueryData(KEY, before)
      notice.failed(error)
    }
    await queries.invalidateQueries({ queryKey: KEY })
  }

  /** Notes that an organization is used; that it could not be noted is nobody's concern. */
  async function used(id: string) {
    if (session.value.impersonation) return
    await write(id, { used: true }).catch(() => {})
    await queries.invalidateQueries({ queryKey: KEY })
  }

  /** Goes on in another of one's own organizations: at once, by a second step, or by a fresh sign-in. */
  async function go(to: MyOrganization) {
    if (to.entry === 'current') return
    if (to.entry === 'sign-in') {
      const why = new URLSearchParams({ organization: to.organization.slug, email: session.value.user?.email ?? '', ...(to.reason ? { why: to.reason } : {}) })
      location.assign(`/sign-in?${why.toString()}`)
      return
    }
    const second = await switchOrganization(to.organization.id)
    location.assign(second ? secondStepAddress(second) : '/')
  }

  // Browsers kept favourites before the server did: they are handed over once.
  watch(
    () => query.isSuccess.value && preferences.favouriteOrganizations.length > 0 && may('platform:read'),
    async (has) => {
      if (!has) return
      const old = preferences.favouriteOrganizations.splice(0)
      await Promise.allSettled(old.map((o) => write(o.id, { favourite: true })))
      await queries.invalidateQueries({ queryKey: KEY })
    },
    { immediate: true },
  )

  return { query, mine, favourites, recent, has: (id: string) => favourites.value.some((f) => f.id === id), toggle, used, go }
}
