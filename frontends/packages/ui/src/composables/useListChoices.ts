/**
 * The columns and the saved views of a list. What is shown stands in the address:
 * columns, order, query and view; what somebody chose for good is in their
 * preferences, by the name of the list.
 */
import { computed, watch } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'
import { idempotencyKey } from '@gatehouse/api'
import type { Column } from '../components/GhTable.vue'
import { preferences, type ListChoices, type SavedView } from '../preferences'
import { preferencesLoaded } from '../preferenceSync'

/** How many views of one list are kept; the server holds to it. */
export const MOST_VIEWS = 30

export interface NamedView extends SavedView {
  id: string
}

export interface ListChoicesOptions {
  /** The name of the list, which no other has. */
  name: () => string
  columns: () => Column[]
  /** Prefix of the URL parameters, as the list has it. */
  prefix: () => string
}

/** Columns that can be chosen: not the first one, which names the row, nor those of its buttons. */
export const choosable = (columns: readonly Column[]): Column[] => columns.filter((c, i) => i > 0 && !c.hiddenLabel)

/** The columns that are shown, of keys in an order; the first and the buttons always are. */
export function shownColumns(columns: readonly Column[], keys: readonly string[]): Column[] {
  const can = choosable(columns)
  const chosen = [...new Set(keys)].flatMap((key) => can.find((c) => c.key === key) ?? [])
  return [...columns.slice(0, 1), ...chosen, ...columns.slice(1).filter((c) => c.hiddenLabel)]
}

const ALL = 'all'
const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((v, i) => v === b[i])

export function useListChoices(options: ListChoicesOptions) {
  const route = useRoute()
  const router = useRouter()
  const at = (parameter: string) => options.prefix() + parameter
  const said = (parameter: string) => {
    const value = route.query[at(parameter)]
    return typeof value === 'string' ? value : ''
  }
  function go(values: Record<string, string | undefined>) {
    const query: LocationQueryRaw = { ...route.query }
    for (const [parameter, value] of Object.entries(values)) {
      if (value) query[at(parameter)] = value
      else delete query[at(parameter)]
    }
    delete query[at('after')]
    return router.replace({ query })
  }

  const mine = computed<ListChoices>(() => preferences.lists[options.name()] ?? {})
  function change(what: (list: ListChoices) => void) {
    const list: ListChoices = { ...mine.value, views: { ...mine.value.views } }
    what(list)
    preferences.lists[options.name()] = list
  }

  const views = computed<NamedView[]>(() => Object.entries(mine.value.views ?? {}).map(([id, v]) => ({ id, ...v })).sort((a, b) => a.name.localeCompare(b.name)))
  const current = computed(() => views.value.find((v) => v.id === said('view')))

  const can = computed(() => choosable(options.columns()))
  const first = computed(() => can.value.filter((c) => !c.hidden).map((c) => c.key))
  const known = (keys: readonly string[] | undefined) => keys?.filter((k) => k === NONE || can.value.some((c) => c.key === k))
  /** Of what somebody chose; where nothing of it is there any more, as the list is made. */
  const chosen = (keys: readonly string[] | undefined) => {
    const those = known(keys) ?? []
    return those.length ? those.filter((k) => k !== NONE) : first.value
  }
  const saved = computed(() => chosen(current.value ? current.value.columns : mine.value.columns))
  const keys = computed(() => (said('columns') ? chosen(said('columns').split(',')) : saved.value))
  const shown = computed(() => shownColumns(options.columns(), keys.value))

  /** Shows these columns, or, without any, those of the list. */
  function setColumns(next: readonly string[]) {
    const ownOrder = same(next, first.value)
    if (!current.value)
      change((list) => {
        if (ownOrder) delete list.columns
        else list.columns = written(next)
      })
    return go({ columns: ownOrder && !current.value ? '' : written(next).join(',') })
  }
  function toggle(key: string) {
    const on = keys.value.includes(key)
    if (on) return setColumns(keys.value.filter((k) => k !== key))
    // Back where the list has it, between those that are shown.
    const order = can.value.map((c) => c.key)
    const before = keys.value.findIndex((k) => order.indexOf(k) > order.indexOf(key))
    const next = [...keys.value]
    next.splice(before < 0 ? next.length : before, 0, key)
    return setColumns(next)
  }

  const state = (): SavedView => ({
    name: '',
    query: said('q'),
    ...(said('sort') ? { sort: said('sort') } : {}),
    ...(same(keys.value, first.value) ? {} : { columns: written(keys.value) }),
  })
  const changed = computed(() => {
    const v = current.value
    return Boolean(v && (v.query !== said('q') || (v.sort ?? '') !== said('sort') || !same(chosen(v.columns), keys.value)))
  })
  const addressOf = (v: NamedView) => ({ q: v.query, sort: v.sort, columns: v.columns?.join(','), view: v.id })

  /** Opens a view, or, without one, the whole list. */
  const open = (v: NamedView | null) => go(v ? addressOf(v) : { q: '', sort: '', columns: '', view: mine.value.defaultView ? ALL : '' })
  function save(name: string, asDefault: boolean) {
    const id = idempotencyKey().slice(0, 12)
    const view = { ...state(), name }
    change((list) => {
      list.views![id] = view
      if (asDefault) list.defaultView = id
    })
    return go(addressOf({ id, ...view }))
  }
  function overwrite() {
    const v = current.value
    if (!v) return
    const view = { ...state(), name: v.name }
    change((list) => (list.views![v.id] = view))
    return go(addressOf({ id: v.id, ...view }))
  }
  function rename(id: string, name: string) {
    change((list) => (list.views![id] = { ...list.views![id]!, name }))
  }
  /** Deletes a view, and returns how that is undone. */
  function remove(v: NamedView): () => void {
    const { id, ...view } = v
    const wasDefault = mine.value.defaultView === id
    change((list) => {
      delete list.views![id]
      if (wasDefault) delete list.defaultView
    })
    void go({ view: '' })
    return () =>
      change((list) => {
        list.views![id] = view
        if (wasDefault) list.defaultView = id
      })
  }
  function makeDefault(id: string | null) {
    change((list) => {
      if (id) list.defaultView = id
      else delete list.defaultView
    })
  }
  /** The address of what is shown, for anybody: with the columns, and without what is one's own. */
  function link(): string {
    const query: LocationQueryRaw = { ...route.query, [at('columns')]: written(keys.value).join(',') }
    delete query[at('view')]
    delete query[at('after')]
    return new URL(router.resolve({ path: route.path, query }).href, location.href).href
  }

  // A list whose address says nothing opens with the view that somebody chose for it.
  const page = route.path
  const bare = () => route.path === page && ['q', 'sort', 'columns', 'view', 'after'].every((p) => !said(p))
  let arrived = false
  watch(
    [preferencesLoaded, () => bare()],
    () => {
      if (arrived) return
      if (!bare()) {
        arrived = true
        return
      }
      const view = views.value.find((v) => v.id === mine.value.defaultView)
      if (view) void go(addressOf(view))
      arrived = preferencesLoaded.value || Boolean(view)
    },
    { immediate: true },
  )

  return {
    shown, can, keys, setColumns, toggle,
    customised: computed(() => !same(keys.value, current.value ? saved.value : first.value)),
    reset: () => setColumns(current.value ? saved.value : first.value),
    views, current, changed, open, save, overwrite, rename, remove, makeDefault, link,
    defaultView: computed(() => mine.value.defaultView ?? ''),
  }
}

/** Stands for no column but the first, because an empty list of columns says nothing. */
const NONE = '-'
const written = (keys: readonly string[]) => (keys.length ? [...keys] : [NONE])

export type ListChoicesOf = ReturnType<typeof useListChoices>
