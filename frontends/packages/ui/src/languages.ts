/** The languages of the texts, and which of them is shown. */
import { shallowRef } from 'vue'

/** By their own names, so that whoever lands in a wrong one finds the way out. */
export const languages = { en: 'English', de: 'Deutsch', ko: '한국어' } as const

export type LanguageCode = keyof typeof languages

export const languageCodes = Object.keys(languages) as LanguageCode[]

function known(code: string): code is LanguageCode {
  return Object.hasOwn(languages, code)
}

/** The language that is shown now. */
export const language = shallowRef<LanguageCode>('en')

/**
 * The language for somebody: the own choice, else the first of the browser's
 * list (BCP 47 tags) that there are texts in, else English.
 */
export function chooseLanguage(own: string, browser: readonly string[]): LanguageCode {
  if (known(own)) return own
  for (const tag of browser) {
    const primary = tag.toLowerCase().split('-')[0]!
    if (known(primary)) return primary
  }
  return 'en'
}

/** The tag for numbers and dates in a language: as the browser's region writes them, such as de-CH. */
export function regionalTag(code: string, browser: readonly string[] = typeof navigator === 'undefined' ? [] : navigator.languages): string {
  return browser.find((tag) => tag === code || tag.startsWith(`${code}-`)) ?? code
}
