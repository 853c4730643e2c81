// @vitest-environment node
import { expect, it } from 'vitest'
import { compareNames, formatBytes, formatCount, formatDate, formatDuration, formatList, formatNumber, formatRelative, formatShare, initials, statusTone } from './format'

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

it.each([
  ['de', '1.234.567', '1,3 %', '1,5 s', '5 Min.', '30 Tage', '1,5 MB', 'DEV, STG und PRD', 'vor 4 Min.', '2. Jan. 2026'],
  ['ko', '1,234,567', '1.3%', '1.5 s', '5분', '30일', '1.5 MB', 'DEV, STG 및 PRD', '4분 전', '2026년 1월 2일'],
])('writes as %s does', (language, number, share, second, minutes, days, bytes, list, ago, date) => {
  const now = new Date('2026-01-02T12:00:00Z')
  expect(formatNumber(1_234_567, language)).toBe(number)
  expect(formatDuration(1500, language)).toBe(second)
  expect(formatDuration(300_000, language)).toBe(minutes)
  expect(formatDuration(30 * 86_400_000, language)).toBe(days)
  expect(formatShare(0.013, language).replace(/\s/g, ' ')).toBe(share)
  expect(formatBytes(1_500_000, language)).toBe(bytes)
  expect(formatList(['DEV', 'STG', 'PRD'], language)).toBe(list)
  expect(formatRelative(new Date('2026-01-02T11:56:00Z'), now, language)).toBe(ago)
  expect(formatDate(now, language, true)).toBe(date)
})

it('puts names in the order of the language', () => {
  expect(['z', 'ä', 'a10', 'a2'].sort((a, b) => compareNames(a, b, 'de'))).toEqual(['ä', 'a2', 'a10', 'z'])
  expect(['하', '가', 'b'].sort((a, b) => compareNames(a, b, 'ko'))).toEqual(['가', '하', 'b'])
})
