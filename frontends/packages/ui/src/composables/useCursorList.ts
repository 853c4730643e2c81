/**
 * A list that the server pages by cursor and filters. Everything that a person
 * chose is in the URL, so that a list can be bookmarked and sent to somebody.
 */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, ref, toValue, type MaybeRefOrGetter } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'
import { problemOf } from '@gatehouse/api'
import { parseQuery, type ParsedQuery } from './query'

export interface Page<T> {
  items: T[]
  /** The cursor of the next page; none on the last. */
  next?: string | null
  total?: number
}

export interface CursorRequest extends ParsedQuery {
  cursor?: string
  limit: number
}

export interface CursorListOptions<T> {
  /** Names the list in the cache, with all that the fetch depends on. */
  key: MaybeRefOrGetter<readonly unknown[]>
  fetch: (request: CursorRequest, signal: AbortSignal) => Promise<Page<T>>
  /** Names of filters that the query bar knows, such as "status". */
  filters?: readonly string[]
  limit?: number
  /** Prefix of the URL parameters, for a second list on one page. */
  prefix?: string
  refetchInterval?: number
  enabled?: MaybeRefOrGetter<boolean>
}

/** How many rows an export asks for at once: the most that the services give. */
const EXPORT_PAGE = 200

export function useCursorList<T>(options: CursorListOptions<T>) {
  const route = useRoute()
  const router = useRouter()
  const q = `${options.prefix ?? ''}q`
  const after = `${options.prefix ?? ''}after`
  const limit = options.limit ?? 50

  const query = computed(() => (typeof route.query[q] === 'string' ? route.query[q] : ''))
  const cursor = computed(() => (typeof route.query[after] === 'string' ? route.query[after] : ''))
  const before = ref<string[]>([])
  const parsed = computed(() => parseQuery(query.value, options.filters ?? []))

  const result = useQuery({
    queryKey: computed(() => ['list', ...toValue(options.key), query.value, cursor.value]),
    queryFn: ({ signal }) => options.fetch({ ...parsed.value, limit, ...(cursor.value ? { cursor: cursor.value } : {}) }, signal),
    placeholderData: keepPreviousData,
    ...(options.refetchInterval ? { refetchInterval: options.refetchInterval } : {}),
    enabled: () => (options.enabled === undefined ? true : toValue(options.enabled)),
  })

  /** The whole result of the query, page by page, from its beginning. */
  async function* pages(signal: AbortSignal): AsyncGenerator<T[], void> {
    let at: string | null | undefined = ''
    do {
      const page: Page<T> = await options.fetch({ ...parsed.value, limit: EXPORT_PAGE, ...(at ? { cursor: at } : {}) }, signal)
      yield page.items
      at = page.next
    } while (at)
  }

  function go(changes: LocationQueryRaw) {
    const next: LocationQueryRaw = { ...route.query, ...changes }
    for (const key of Object.keys(next)) if (!next[key]) delete next[key]
    return router.replace({ query: next })
  }

  return {
    items: computed<T[]>(() => result.data.value?.items ?? []),
    total: computed(() => result.data.value?.total),
    loading: computed(() => result.isPending.value),
    refreshing: computed(() => result.isFetching.value && !result.isPending.value),
    problem: computed(() => (result.isError.value && !result.data.value ? problemOf(result.error.value) : null)),
    filtered: computed(() => query.value !== ''),
    query,
    prefix: options.prefix ?? '',
    hasNext: computed(() => Boolean(result.data.value?.next)),
    hasPrevious: computed(() => cursor.value !== ''),
    search: (text: string) => {
      before.value = []
      return go({ [q]: text, [after]: '' })
    },
    next: () => {
      const cursorAfter = result.data.value?.next
      if (!cursorAfter) return
      before.value.push(cursor.value)
      return go({ [after]: cursorAfter })
    },
    previous: () => go({ [after]: before.value.pop() ?? '' }),
    reload: () => result.refetch(),
    pages,
  }
}

export type CursorList<T> = ReturnType<typeof useCursorList<T>>
