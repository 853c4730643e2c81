// @vitest-environment node
import { expect, it } from 'vitest'
import { chooseLanguage, regionalTag } from './languages'

it.each([
  ['ko', ['de-DE'], 'ko', 'the own choice comes first'],
  ['', ['fr-FR', 'de-AT', 'ko'], 'de', 'then the first of the browser that there are texts in'],
  ['', ['fr-FR'], 'en', 'then English'],
  ['xx', ['ko-KR'], 'ko', 'a choice that there are no texts in is none'],
  ['constructor', [], 'en', 'nor is a name of JavaScript'],
])('%j of %j: %s (%s)', (own, browser, code) => expect(chooseLanguage(own, browser)).toBe(code))

it('writes numbers and dates as in the region of the browser', () => {
  expect(regionalTag('de', ['en-GB', 'de-CH'])).toBe('de-CH')
  expect(regionalTag('ko', ['de-CH'])).toBe('ko')
})
