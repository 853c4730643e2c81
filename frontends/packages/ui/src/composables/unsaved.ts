/** What was changed and not saved: whoever leaves it is asked first. */
import { computed, onScopeDispose, ref, shallowReactive, toValue, watch, type MaybeRefOrGetter } from 'vue'
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

/**
 * Guards a form that makes something, while it is open: what was typed since then is
 * asked about before it is left. Where there is a form for each of several things,
 * open says which.
 */
export function useDraft(form: MaybeRefOrGetter<unknown>, open: MaybeRefOrGetter<unknown> = true) {
  const now = () => JSON.stringify(toValue(form)) ?? ''
  const began = ref(now())
  watch(
    () => toValue(open),
    () => (began.value = now()),
  )
  const dirty = computed(() => Boolean(toValue(open)) && now() !== began.value)
  useUnsaved(dirty)
  /** What is in the form now is where it begins. */
  return { dirty, begin: () => (began.value = now()) }
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
