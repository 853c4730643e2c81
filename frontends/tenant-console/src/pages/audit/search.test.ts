import { expect, it } from 'vitest'
import { MOST_STEPS, searchBack, type Looked } from './search'

/** A trail in which a search finds something on the page of a number. */
function trail(found: number, pages = 1_000) {
  const asked: (string | undefined)[] = []
  const seen: string[] = []
  const fetch = (cursor?: string): Promise<Looked<string>> => {
    asked.push(cursor)
    const page = Number(cursor ?? 1)
    const last = page >= pages
    return Promise.resolve({ items: page === found ? ['it'] : [], ...(last ? {} : { next: String(page + 1), lookedBackTo: `back ${page}` }) })
  }
  return { asked, seen, fetch, search: (cursor?: string) => searchBack(fetch, cursor, (at) => seen.push(at)) }
}

it('goes on by itself until something is found, and says how far back it is', async () => {
  const t = trail(3)
  expect(await t.search()).toEqual({ items: ['it'], next: '4', lookedBackTo: 'back 3' })
  expect(t.asked).toEqual([undefined, '2', '3'])
  expect(t.seen).toEqual(['back 1', 'back 2'])
})

it('ends with the trail', async () => {
  expect(await trail(9, 4).search()).toEqual({ items: [] })
})

it('asks whoever searches after some steps, and goes on from there', async () => {
  const t = trail(30)
  const page = await t.search()
  expect(t.asked).toHaveLength(MOST_STEPS)
  expect(page).toEqual({ items: [], next: String(MOST_STEPS + 1), lookedBackTo: `back ${MOST_STEPS}` })
  expect((await t.search(page.next)).items).toEqual(['it'])
})
