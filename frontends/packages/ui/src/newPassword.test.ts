import { expect, it } from 'vitest'
import { lacks, toCome } from './newPassword'

it('says what a password lacks', () => {
  expect(lacks('', 12)).toEqual(['length', 'simple'])
  expect(lacks('a few good words', 12)).toEqual([])
  expect(lacks('a few words', 12)).toEqual(['length'])
  expect(lacks('aaaaaaaaaaaa', 12)).toEqual(['simple'])
  expect(lacks('Petrova-2030', 12, ['Olga Petrova', 'olga@acme.example'])).toEqual([])
  expect(lacks('olgapetrova1', 12, ['Olga Petrova'])).toEqual(['own'])
})

it('counts characters as people do', () => {
  expect(toCome('😀😀', 10)).toBe(8)
  expect(toCome('a few good words', 10)).toBe(0)
})
