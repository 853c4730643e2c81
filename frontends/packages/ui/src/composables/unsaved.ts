/** What was changed and not saved: whoever leaves it is asked first. */
import { onScopeDispose, ref, shallowReactive, toValue, type MaybeRefOrGetter } from 'vue'
import type { Router } from 'vue-router'

const forms = shallowReactive(new Set<MaybeRefOrGetter<boolean>>())

/** Whether somebody is asked now, and how the answer is given. */
export const asking = ref<((leave: boolean) => void) | null>(null)

/** Whether a form that is on the screen has changes. */
export function unsaved(): boolean {
  return [...forms].some((dirty) => Boolean(toValue(dirty)))
}

/** Guards a form for as long as the calling component lives. */
export function useUnsaved(dirty: MaybeRefOrGetter<boolean>) {
  forms.add(dirty)
  onScopeDispose(() => forms.delete(dirty))
}

/** Asks whether to leave what was changed; at once true where nothing was. */
export function mayLeave(dirty: boolean = unsaved()): Promise<boolean> {
  if (!dirty) return Promise.resolve(true)
  asking.value?.(false) // who asks again has not answered
  return new Promise((resolve) => {
    asking.value = (leave) => {
      asking.value = null
      resolve(leave)
    }
  })
}

/** Asks before another page is shown, and before the tab is closed. */
export function guardUnsaved(router: Router) {
  router.beforeEach((to, from) => (to.path === from.path ? true : mayLeave()))
  addEventListener('beforeunload', (event) => {
    if (unsaved()) event.preventDefault()
  })
}
