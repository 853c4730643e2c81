/** What differs between the preferences of a browser and those that the server has. */
import { mergePatch } from '@gatehouse/api'
import { unchosen, type Kept, type ListChoices, type SavedView } from './preferences'

export type Document = Partial<Kept>
type Patch = Record<string, unknown>

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)

/** What a merge patch (RFC 7396) makes of a document; neither is changed. */
export function patched<T extends object>(document: T, patch: Patch): T {
  const out = { ...document } as Record<string, unknown>
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = isObject(value) ? patched(isObject(out[key]) ? out[key] : {}, value) : value
  }
  return out as T
}

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** What the server would be told of these preferences: nothing that only says what holds anyway. */
export function documentOf(all: Kept, known: Document = {}): Document {
  const nothing = unchosen()
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(nothing) as (keyof Kept)[]) {
    if (key !== 'lists' && (known[key] !== undefined || all[key] !== nothing[key])) out[key] = all[key]
  }
  const lists: Kept['lists'] = {}
  for (const [name, l] of Object.entries(all.lists)) {
    const list = { ...l }
    if (!list.columns?.length) delete list.columns
    if (!Object.keys(list.views ?? {}).length) delete list.views
    if (!list.defaultView) delete list.defaultView
    if (Object.keys(list).length) lists[name] = list
  }
  if (Object.keys(lists).length) out.lists = lists
  return copy(out)
}

/** The preferences of a document, whole. */
export function preferencesFrom(document: Document): Kept {
  return { ...unchosen(), ...copy(document) }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
const sameView = (a: SavedView, b: SavedView) => a.name === b.name && a.query === b.query && a.sort === b.sort && same(a.columns, b.columns)

/** As changes, of one list. A view goes as a whole: halves of two browsers make none. */
function listChanges(was: ListChoices, is: ListChoices): Patch {
  const patch: Patch = {}
  if (!same(was.columns, is.columns)) patch.columns = is.columns ?? null
  if (was.defaultView !== is.defaultView) patch.defaultView = is.defaultView ?? null
  const views: Patch = {}
  for (const id of Object.keys(was.views ?? {})) if (!is.views?.[id]) views[id] = null
  for (const [id, view] of Object.entries(is.views ?? {})) {
    const before = was.views?.[id]
    if (!before) views[id] = view
    else if (!sameView(before, view)) views[id] = { sort: null, columns: null, ...view }
  }
  if (Object.keys(views).length) patch.views = views
  return patch
}

/** The patch from what the server was known to have to what is here. */
export function changes(known: Document, here: Kept): Patch {
  const { lists: is = {}, ...plain } = documentOf(here, known)
  const { lists: was = {}, ...before } = known
  const patch = mergePatch(before, plain)
  const lists: Patch = {}
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const list = listChanges(was[name] ?? {}, is[name] ?? {})
    if (!isEmpty(list)) lists[name] = list
  }
  return isEmpty(lists) ? patch : { ...patch, lists }
}

/** What a patch says of keys that the document lacks. */
export function onlyMissing(patch: Patch, document: Document): Patch {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => document[key as keyof Kept] === undefined))
}

export const isEmpty = (patch: Patch) => Object.keys(patch).length === 0
