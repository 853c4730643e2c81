// @vitest-environment node
import { expect, it } from 'vitest'
import { parseQuery, suggest, withFilter } from './query'

it('parts words from the filters it knows', () => {
  expect(parseQuery('pets status:published tag:x', ['status'])).toEqual({ text: 'pets tag:x', filters: { status: 'published' } })
  expect(parseQuery('owner:"Lena K" a', ['owner'])).toEqual({ text: 'a', filters: { owner: 'Lena K' } })
  expect(parseQuery('', ['status'])).toEqual({ text: '', filters: {} })
})

it('sets, replaces and takes out a filter', () => {
  expect(withFilter('pets', 'status', 'published')).toBe('pets status:published')
  expect(withFilter('status:a pets', 'status', 'b')).toBe('pets status:b')
  expect(withFilter('status:a pets', 'status', '')).toBe('pets')
})

it('suggests names, then values', () => {
  const filters = { status: ['published', 'deprecated'], tag: [] }
  expect(suggest('', filters).map((s) => s.label)).toEqual(['status:', 'tag:'])
  expect(suggest('pets st', filters)).toEqual([{ label: 'status:', query: 'pets status:' }])
  expect(suggest('status:p', filters)).toEqual([{ label: 'status:published', query: 'status:published ' }])
})
