// @vitest-environment node
import { expect, it } from 'vitest'
import { formatBytes, formatCount, formatDuration, formatRelative, formatShare, initials, statusTone } from './format'

it.each([
  [0, '0 ms'],
  [0.0034, '3.4 µs'],
  [0.4, '400 µs'],
  [8.7, '8.7 ms'],
  [61, '61 ms'],
  [1500, '1.5 s'],
  [90_000, '1.5 min'],
])('%d ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

it.each([
  [0, '0 %'],
  [0.0004, '0.04 %'],
  [0.012, '1.2 %'],
  [0.31, '31 %'],
])('a share of %d reads %s', (share, text) => expect(formatShare(share)).toBe(text))

it('shortens large counts only', () => {
  expect(formatCount(9_999)).toBe('9,999')
  expect(formatCount(184_210)).toBe('184.2K')
})

it('says sizes in units', () => {
  expect(formatBytes(999)).toBe('999 B')
  expect(formatBytes(1_500_000)).toBe('1.5 MB')
})

it('is relative within a day only', () => {
  const now = new Date('2026-01-02T12:00:00Z')
  expect(formatRelative(new Date('2026-01-02T11:56:00Z'), now)).toBe('4 min. ago')
  expect(formatRelative(new Date('2025-12-30T12:00:00Z'), now)).toBe('Dec 30, 2025')
})

it('knows the tone of a status', () => {
  expect([200, 302, 404, 503, 0].map(statusTone)).toEqual(['live', 'neutral', 'warn', 'bad', 'bad'])
})

it('makes initials of names and addresses', () => {
  expect(initials('Lena Kim')).toBe('LK')
  expect(initials('mo@example.com')).toBe('ME')
})
