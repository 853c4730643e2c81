// @vitest-environment node
import { expect, it } from 'vitest'
import { idempotencyKey, ifMatch, mergePatch } from './http'

it('names the version that a change is made from', () => {
  expect(ifMatch({ version: 7 })).toEqual({ 'If-Match': '"v7"' })
})

it.each([
  [{}, {}, {}],
  [{ a: 1, b: 2 }, { a: 1 }, { b: null }],
  [{ a: 1 }, { a: 2, c: [1] }, { a: 2, c: [1] }],
  [{ a: { x: 1, y: 2 }, b: [1, 2] }, { a: { x: 1, y: 3 }, b: [1, 2] }, { a: { y: 3 } }],
  [{ a: [1] }, { a: { x: 1 } }, { a: { x: 1 } }],
])('turns %j into %j by %j', (before, after, patch) => {
  expect(mergePatch(before, after)).toEqual(patch)
})

it('never makes the same key twice', () => {
  expect(new Set(Array.from({ length: 100 }, idempotencyKey)).size).toBe(100)
})
