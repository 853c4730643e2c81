/**
 * A list of which the browser has every row: searched, sorted and paged here, and
 * like every other list with all of that in the URL.
 */
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'
import { problemOf } from '@gatehouse/api'
import type { CursorList } from './useCursorList'

export interface RowListOptions<T> {
  /** All rows; none while they are on their way. */
  rows: MaybeRefOrGetter<readonly T[] | undefined>
  /** Why there are none. */
  error?: MaybeRefOrGetter<unknown>
  reload?: () => unknown
  /** Whether a row is found by a query; without it, where every word stands somewhere in it. */
  match?: ((row: T, query: string) => boolean) | undefined
  /** Which field of a row each column is sorted by, by the key of the column. */
  fields?: MaybeRefOrGetter<Record<string, string>>
  /** Prefix of the URL parameters, for another list on the page. */
  prefix?: MaybeRefOrGetter<string>
  limit?: number
}

type Value = string | number | boolean | undefined

/** The value of a field of a row: "name", or "principal.name" of what is in it. */
export function fieldOf(row: unknown, path: string): Value {
  let value: unknown = row
  for (const name of path.split('.')) value = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined
  return ['string', 'number', 'boolean'].includes(typeof value) ? (value as Value) : undefined
}

/** Every text in a row, also in what it holds. */
export function textOf(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (value === null || typeof value !== 'object') return ''
  return Object.values(value).map(textOf).filter(Boolean).join('\n')
}

const order = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })
function compare(a: Exclude<Value, undefined>, b: Exclude<Value, undefined>): number {
  return typeof a === 'string' && typeof b === 'string' ? order.compare(a, b) : Number(a) - Number(b)
}

/** Rows by a field, those without a value last whichever way round. */
export function sorted<T>(rows: readonly T[], path: string, descending: boolean): T[] {
  const with_ = rows.map((row) => ({ row, value: fieldOf(row, path) }))
  const there = with_.filter((r): r is { row: T; value: Exclude<Value, undefined> } => r.value !== undefined && r.value !== '')
  const rest = with_.filter((r) => r.value === undefined || r.value === '')
  there.sort((a, b) => compare(a.value, b.value) * (descending ? -1 : 1))
  return [...there, ...rest].map((r) => r.row)
}

/** Whether every word of a query stands somewhere in a row. */
export function matches(row: unknown, query: string): boolean {
  const all = textOf(row).toLocaleLowerCase()
  return query.toLocaleLowerCase().split(/\s+/).every((w) => all.includes(w))
}

/** How many rows an export draws at once. */
const EXPORT_PAGE = 200

export function useRowList<T>(options: RowListOptions<T>) {
  const route = useRoute()
  const router = useRouter()
  const limit = options.limit ?? 50
  const prefix = () => toValue(options.prefix) ?? ''
  const said = (parameter: string) => {
    const value = route.query[prefix() + parameter]
    return typeof value === 'string' ? value : ''
  }
  function go(changes: Record<string, string>) {
    const query: LocationQueryRaw = { ...route.query }
    for (const [parameter, value] of Object.entries(changes)) {
      if (value) query[prefix() + parameter] = value
      else delete query[prefix() + parameter]
    }
    return router.replace({ query })
  }

  const all = computed(() => toValue(options.rows))
  const query = computed(() => said('q'))
  const sort = computed(() => {
    const key = said('sort')
    return toValue(options.fields)?.[key.replace(/^-/, '')] ? key : ''
  })
  const found = computed(() => {
    const rows = (all.value ?? []).filter((r) => query.value === '' || (options.match ?? matches)(r, query.value))
    const field = toValue(options.fields)?.[sort.value.replace(/^-/, '')]
    return field ? sorted(rows, field, sort.value.startsWith('-')) : rows
  })
  /** Where the page begins; a page that is gone is the last that there is. */
  const at = computed(() => {
    const wanted = Math.max(0, Math.trunc(Number(said('after')) || 0))
    return Math.min(wanted, Math.max(0, Math.ceil(found.value.length / limit) - 1) * limit)
  })
  const error = computed(() => toValue(options.error))

  const list: CursorList<T> = {
    items: computed<T[]>(() => found.value.slice(at.value, at.value + limit)),
    total: computed(() => (found.value.length > limit ? found.value.length : undefined)),
    loading: computed(() => all.value === undefined && !error.value),
    refreshing: computed(() => false),
    problem: computed(() => (error.value && all.value === undefined ? problemOf(error.value) : null)),
    filtered: computed(() => query.value !== ''),
    query,
    get prefix() {
      return prefix()
    },
    hasNext: computed(() => at.value + limit < found.value.length),
    hasPrevious: computed(() => at.value > 0),
    search: (text: string) => go({ q: text, after: '' }),
    next: () => go({ after: String(at.value + limit) }),
    previous: () => go({ after: at.value > limit ? String(at.value - limit) : '' }),
    reload: () => options.reload?.() as never,
    async *pages() {
      const rows = found.value
      for (let i = 0; i < rows.length; i += EXPORT_PAGE) yield await Promise.resolve(rows.slice(i, i + EXPORT_PAGE))
    },
  }
  return { list, sort, sortBy: (key: string) => go({ sort: key, after: '' }) }
}
