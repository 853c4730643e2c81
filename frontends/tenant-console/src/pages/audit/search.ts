/** Searching the audit log: the server looks at a bounded number of entries at a time. */
export interface Looked<T> {
  items: T[]
  next?: string
  /** How far back it looked, where it stopped there. */
  lookedBackTo?: string
}

/** How often the server is asked on before somebody says to go on. */
export const MOST_STEPS = 20

/**
 * One page of what a search finds: where nothing was found so far it goes on by itself,
 * and tells how far back it is; after some steps it leaves that to whoever searches.
 */
export async function searchBack<T>(fetch: (cursor?: string) => Promise<Looked<T>>, cursor: string | undefined, at: (time: string) => void): Promise<Looked<T>> {
  for (let step = 1; ; step++) {
    const page = await fetch(cursor)
    if (page.items.length || !page.next || !page.lookedBackTo || step >= MOST_STEPS) return page
    at(page.lookedBackTo)
    cursor = page.next
  }
}
