// @vitest-environment node
import { expect, it } from 'vitest'
import { brandLogo, brandQuery, brandText, brandTokens, type PublicBrand } from './brand'

it.each([
  ['/sign-in', '', {}],
  ['/sign-in', '?organization=acme', { organization: 'acme' }],
  ['/sign-in', '?next=%2Fconsent%3Frequest%3Dabc', { authorization: 'abc' }],
  ['/consent', '?request=abc', { authorization: 'abc' }],
  ['/device', '?request=abc&client=c', { client: 'c' }],
  ['/sign-in', '?next=%2Fconsent%3Frequest%3Dabc%26client%3Dgatehouse-admin', { authorization: 'abc' }],
  ['/sign-in', '?next=%2Fusers%3Forganization%3Da&organization=b', { organization: 'b' }],
  ['/sign-in', '?next=https%3A%2F%2Fx.test%2Fconsent%3Frequest%3Dabc', {}],
])('%s%s is of %j', (pathname, search, want) => {
  expect(brandQuery({ pathname, search })).toEqual(want)
})

const tokens = (accent: string) => ({ accent, hover: '#000000', tint: '#ffffff', on: '#ffffff', ratio: 5, wanted: 5, corrected: false })
const image = (hash: string) => ({ hash, url: `/${hash}`, mediaType: 'image/png', width: 1, height: 1 })
const brand: PublicBrand = {
  displayName: 'Acme',
  language: 'de',
  palette: { light: tokens('#111111'), dark: tokens('#eeeeee') },
  logoLight: image('a'),
  texts: [
    { language: 'en', helpUrl: 'https://en.test', helpLabel: 'Call us' },
    { language: 'de', welcome: 'Hallo', helpUrl: 'https://de.test', termsUrl: 'https://terms.test' },
    { language: 'pt-BR', welcome: 'Olá' },
  ],
}

it('says what it has in a language, field by field', () => {
  expect(brandText(brand, 'en')).toEqual({ welcome: 'Hallo', helpUrl: 'https://en.test', helpLabel: 'Call us', termsUrl: 'https://terms.test' })
  expect(brandText(brand, 'pt').welcome).toBe('Olá')
  expect(brandText(brand, 'ko')).toEqual({ welcome: 'Hallo', helpUrl: 'https://de.test', termsUrl: 'https://terms.test' })
  expect(brandText({ displayName: '', language: 'en', texts: [] }, 'en')).toEqual({})
})

it('has colours and a logo for each theme', () => {
  expect(brandTokens(brand, true)['--gh-accent']).toBe('#eeeeee')
  expect(brandTokens({ ...brand, palette: undefined } as PublicBrand, true)).toEqual({})
  expect(brandLogo(brand, true)?.hash).toBe('a')
  expect(brandLogo({ ...brand, logoDark: image('b') }, true)?.hash).toBe('b')
  expect(brandLogo({ displayName: '', language: 'en', texts: [] }, false)).toBeNull()
})
