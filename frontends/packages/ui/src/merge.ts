/** Three versions of the same fields: what it was, what I made of it, and what somebody else made of it meanwhile. */

export interface MergeRow<K extends string = string> {
  key: K
  was: unknown
  mine: unknown
  theirs: unknown
  /** Who changed it: one of the two, or both and differently. */
  by: 'mine' | 'theirs' | 'both'
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))

/** The value with the keys of its objects in order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value === undefined ? null : value
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined && v !== null).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, ordered(v)]))
}

/** The fields that somebody changed; what both changed to the same is no matter. */
export function mergeRows<T extends object>(was: T, mine: T, theirs: T): MergeRow<keyof T & string>[] {
  const keys = [...new Set([...Object.keys(was), ...Object.keys(mine), ...Object.keys(theirs)])] as (keyof T & string)[]
  return keys.flatMap((key) => {
    const changedMine = !same(was[key], mine[key])
    const changedTheirs = !same(was[key], theirs[key])
    if ((!changedMine && !changedTheirs) || same(mine[key], theirs[key])) return []
    return [{ key, was: was[key], mine: mine[key], theirs: theirs[key], by: changedMine && changedTheirs ? ('both' as const) : changedMine ? ('mine' as const) : ('theirs' as const) }]
  })
}

/** What comes of it: theirs, and of mine what was chosen. */
export function merged<T extends object>(theirs: T, mine: T, choice: Record<string, 'mine' | 'theirs'>): T {
  const out = { ...theirs }
  for (const [key, whose] of Object.entries(choice)) if (whose === 'mine') out[key as keyof T] = mine[key as keyof T]
  return out
}
