// @vitest-environment node
import { readFileSync } from 'node:fs'
import { baseCompile } from '@intlify/message-compiler'
import { createI18n } from 'vue-i18n'
import { describe, expect, it } from 'vitest'
import { pluralRules } from '../packages/ui/src/i18n'
import { compareTexts, entriesOf } from '../packages/ui/src/texts'
import { tellField } from '../packages/ui/src/fields'
import { catalogues } from './catalogues'
import { fieldCodes } from './field-codes'

const all = catalogues.flatMap((c) => Object.entries(c.languages).map(([code, texts]) => ({ ...c, code, texts })))

describe.each(all)('$name in $code', ({ name, english, texts, code, whole }) => {
  const found = compareTexts(english, texts, code)

  it('has only keys that English has', () => {
    // Problems have titles of the server in English.
    expect(found.unknown.filter((key) => !(name === 'packages/ui' && ['problems.', 'problemHelp.', 'fieldCodes.', 'fieldLimits.'].some((b) => key.startsWith(b))))).toEqual([])
  })
  it('has the placeholders of English', () => expect(found.places).toEqual([]))
  it('has the plural forms of the language', () => expect(found.forms).toEqual([]))
  it('has no empty text', () => expect(found.empty).toEqual([]))
  it('misses nothing that people see before they are signed in', () => {
    expect(found.missing.filter((key) => whole.some((beginning) => key.startsWith(beginning)))).toEqual([])
  })
})

it.each(catalogues.flatMap((c) => Object.entries({ en: c.english, ...c.languages }).map(([code, texts]) => ({ name: c.name, code, texts }))))('$name in $code can be read', ({ texts }) => {
  const wrong: string[] = []
  for (const [key, text] of entriesOf(texts)) baseCompile(text, { onError: (e) => wrong.push(`${key}: ${e.message}`) })
  expect(wrong).toEqual([])
})

it('has texts only for problems that the services answer with', () => {
  const codes = [...readFileSync(new URL('../../libs/problem/codes.go', import.meta.url), 'utf8').matchAll(/Code = "([a-z-]+)"|\bCode\w+ +Code = "([a-z-]+)"/g)].map((m) => m[1] ?? m[2]!)
  const own = ['no-connection', 'page-error']
  for (const language of Object.values(catalogues[0]!.languages)) {
    const problems = Object.keys(language.problems as object)
    expect(problems.filter((code) => ![...codes, ...own].includes(code))).toEqual([])
    expect(codes.filter((code) => !problems.includes(code))).toEqual([])
    expect(Object.keys(language.problemHelp as object).sort()).toEqual([...codes].sort())
  }
})

it('has a text for each rule that a service says a field breaks', () => {
  const codes = fieldCodes()
  expect(codes).toContain('required')
  expect(codes).toContain('lockout')
  for (const language of Object.values(catalogues[0]!.languages)) {
    expect(Object.keys(language.fieldCodes as object).sort()).toEqual(codes)
    expect(Object.keys(language.fieldLimits as object).every((code) => codes.includes(code))).toBe(true)
  }
})

it('tells a field by its rule, and adds what the service says where that is not all', () => {
  const { de } = catalogues[0]!.languages
  const text = (key: string, named?: { limit: number }) => {
    const [, group, code] = key.split('.') as [string, string, string]
    return (de[group] as Record<string, string>)[code]?.replace('{limit}', String(named?.limit))
  }
  const tell = (code: string, detail: string, limit?: number) => tellField({ pointer: '/x', code, detail, ...(limit === undefined ? {} : { params: { limit } }) }, text)
  expect(tell('required', 'the field is missing')).toBe('Diese Angabe fehlt')
  expect(tell('maxLength', 'maximum string length is 100', 100)).toBe('Höchstens 100 Zeichen')
  expect(tell('maximum', 'at most 100 hosts')).toBe('Der Wert ist zu groß: at most 100 hosts')
  expect(tell('format', 'want https://')).toBe('Die Schreibweise stimmt nicht: want https://')
  expect(tell('never-heard-of', 'say so')).toBe('say so')
})

it('shows a single text in English where the language has none', () => {
  const i18n = createI18n({ legacy: false, locale: 'ko', fallbackLocale: 'en', missingWarn: false, fallbackWarn: false, messages: { en: { a: 'One', b: 'Two' }, ko: { a: '하나' } } as Record<string, Record<string, string>> })
  expect([i18n.global.t('a'), i18n.global.t('b')]).toEqual(['하나', 'Two'])
})

it.each([
  ['ko', 0, '구성원 없음'],
  ['ko', 1, '구성원 1명'],
  ['ko', 7, '구성원 7명'],
  ['de', 0, 'keine Mitglieder'],
  ['de', 1, '1 Mitglied'],
  ['de', 7, '7 Mitglieder'],
])('counts in %s: %d', (locale, n, text) => {
  const tenant = catalogues.find((c) => c.name === 'tenant-console')!
  const i18n = createI18n({ legacy: false, locale, pluralRules, messages: tenant.languages as unknown as Record<string, Record<string, string>> })
  expect(i18n.global.t('groups.memberCount', n)).toBe(text)
})
