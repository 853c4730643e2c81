/**
 * A form over something stored: it follows what is stored until somebody types, asks
 * before changes are left, and where somebody else saved first shows all three
 * versions in place of an error.
 */
import { computed, ref, shallowRef, watch, type Ref } from 'vue'
import { problemOf, rehearse, type Problem } from '@gatehouse/api'
import { merged, mergeRows, same, type MergeRow } from '../merge'
import { useUnsaved } from './unsaved'

export interface EditOptions<S extends object, F extends object> {
  /** What is stored, as it was read last. */
  stored: () => S | undefined
  /** What the form shows of it. */
  fields: (stored: S) => F
  /** Reads it anew. */
  fresh: () => Promise<S>
  /** Saves the form over what it began from, and returns what is stored then. It makes its call at once. */
  save: (form: F, from: S) => Promise<S>
  /** What is to be done when it is saved. */
  saved?: (stored: S) => unknown
}

export interface Conflict {
  rows: MergeRow[]
  /** Goes on with what was chosen for each field. */
  resolve: (choice: Record<string, 'mine' | 'theirs'>) => Promise<void>
  cancel: () => void
}

/** A copy that shares nothing; fields hold what JSON can. */
const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** Which thing it is, where it says so. */
const identity = (stored: object | undefined): unknown => (stored as { id?: unknown } | undefined)?.id

export function useEdit<S extends object, F extends object>(options: EditOptions<S, F>) {
  const from = shallowRef<S>()
  const form = ref<F>() as Ref<F | undefined>
  const busy = ref(false)
  const problem = ref<Problem | null>(null)
  const conflict = shallowRef<Conflict | null>(null)
  const dirty = computed(() => Boolean(from.value && form.value && !same(form.value, options.fields(from.value))))

  function take(stored: S) {
    from.value = stored
    form.value = copy(options.fields(stored))
  }
  // What was typed is not overwritten by what is read meanwhile, but another thing is another form.
  watch(
    options.stored,
    (stored) => {
      if (!stored || busy.value) return
      if (!dirty.value || identity(stored) !== identity(from.value)) take(stored)
      else if (same(options.fields(stored), options.fields(from.value!))) from.value = stored // changed elsewhere, and in nothing of this form
    },
    { immediate: true },
  )
  useUnsaved(dirty)

  async function meet() {
    const theirs = await options.fresh()
    const mine = form.value!
    const other = options.fields(theirs)
    const rows = mergeRows(options.fields(from.value!), mine, other)
    if (!rows.some((r) => r.by !== 'mine')) {
      // Nothing of what is edited here was changed: mine goes on top.
      from.value = theirs
      return true
    }
    conflict.value = {
      rows,
      cancel: () => (conflict.value = null),
      resolve: async (choice) => {
        conflict.value = null
        from.value = theirs
        form.value = copy(merged(other, mine, choice))
        if (dirty.value) await save()
        else options.saved?.(theirs)
      },
    }
    return false
  }

  async function save(again = true): Promise<void> {
    if (busy.value || !form.value || !from.value) return
    busy.value = true
    problem.value = null
    let once = false
    try {
      const stored = await options.save(copy(form.value), from.value)
      take(stored)
      await options.saved?.(stored)
    } catch (error) {
      const p = problemOf(error)
      if (p.status !== 412) problem.value = p
      else
        try {
          once = (await meet()) && again
          if (!once && !conflict.value) problem.value = p
        } catch (reading) {
          problem.value = problemOf(reading)
        }
    } finally {
      busy.value = false
    }
    if (once) await save(false)
  }

  /** Leaves what was typed. */
  function reset() {
    const stored = options.stored() ?? from.value
    problem.value = null
    if (stored) take(stored)
  }
  /** The request that saving makes, without making it; none where nothing was changed. */
  function pending(): Request | null {
    const { value: now } = form
    const { value: stored } = from
    return now && stored && dirty.value ? rehearse(() => options.save(copy(now), stored)) : null
  }
  return { form, from, dirty, busy, problem, conflict, save: () => save(), reset, pending }
}
