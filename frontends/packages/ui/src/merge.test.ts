import { expect, it } from 'vitest'
import { merged, mergeRows } from './merge'

it('tells who changed which field', () => {
  const was = { name: 'a', tags: ['x'], on: false, note: '' }
  const rows = mergeRows(was, { name: 'b', tags: ['x', 'y'], on: false, note: 'n' }, { name: 'c', tags: ['x', 'y'], on: true, note: '' })
  expect(rows.map((r) => [r.key, r.by])).toEqual([
    ['name', 'both'],
    ['on', 'theirs'],
    ['note', 'mine'],
  ])
})

it('takes theirs, and of mine what was chosen', () => {
  expect(merged({ name: 'c', on: true }, { name: 'b', on: false }, { name: 'mine', on: 'theirs' })).toEqual({ name: 'b', on: true })
})

it('does not mind the order of keys, or what is not there', () => {
  const empty: Record<string, unknown> = {}
  expect(mergeRows<Record<string, unknown>>({ a: { x: 1, y: 2 }, b: null }, { a: { y: 2, x: 1 } }, { a: { x: 1, y: 2 }, b: undefined })).toEqual([])
  expect(mergeRows(empty, empty, empty)).toEqual([])
})
