/** Texts. English is complete and always there; another language is loaded when it is chosen. */
import { shallowRef, watch } from 'vue'
import { createI18n, type I18n, type PluralizationRule } from 'vue-i18n'
import { setFieldText, setLanguage } from '@gatehouse/api'
import { chooseLanguage, language, type LanguageCode } from './languages'
import { tellField } from './fields'
import en from './locales/en'
import { show } from './notices'
import { preferences } from './preferences'

export interface Texts {
  [key: string]: string | Texts
}

/** One language of an app: its own texts, loaded when they are needed. */
export type Language = () => Promise<{ default: Texts }>

/** The texts of the component library, such as those of an empty menu. */
type LibraryTexts = typeof import('@nuxt/ui/locale').de

/** The languages of the shared components beside English. */
const shared: Partial<Record<LanguageCode, () => Promise<{ default: Texts; library: LibraryTexts }>>> = {
  de: () => import('./locales/de'),
  ko: () => import('./locales/ko'),
}

/** The texts of the component library in the language that is shown; none for English. */
export const libraryTexts = shallowRef<LibraryTexts>()

/** Korean has no plural: the second form, where there are two, is for all but none. */
const korean: PluralizationRule = (n, forms) => (forms === 1 ? 0 : Math.min(n === 0 ? 0 : 1, forms - 1))
export const pluralRules = { ko: korean }

/** Makes the texts of an app, and has them follow the language that is preferred from then on. */
export async function makeI18n(texts: Texts, own: Partial<Record<string, Language>> = {}): Promise<I18n> {
  const i18n = createI18n({
    legacy: false,
    locale: 'en',
    fallbackLocale: 'en',
    pluralRules,
    messages: { en: { ui: en, ...texts } } as unknown as Record<string, Record<string, string>>,
    missingWarn: import.meta.env.DEV,
    fallbackWarn: false, // a text that is not translated yet is shown in English, on purpose
  })
  const library = new Map<LanguageCode, LibraryTexts>()
  const wanted = () => chooseLanguage(preferences.language, navigator.languages)

  async function follow(code: LanguageCode) {
    if (code !== 'en' && !library.has(code)) {
      const [app, common] = await Promise.all([own[code]?.(), shared[code]?.()])
      if (!app || !common) return
      i18n.global.setLocaleMessage(code, { ...app.default, ui: common.default } as unknown as Record<string, string>)
      library.set(code, common.library)
    }
    if (code !== wanted()) return // another one was chosen while this one came
    i18n.global.locale.value = code as 'en'
    language.value = code
    libraryTexts.value = library.get(code)
    document.documentElement.lang = code
    setLanguage(code)
  }

  setFieldText((field) => {
    const { locale, t, te, n } = i18n.global as unknown as { locale: { value: string }; t: (key: string, named: object) => string; te: (key: string, locale: string) => boolean; n: (value: number) => string }
    // English is what the services speak, and they say what is special to the field.
    if (locale.value === 'en') return field.detail
    return tellField(field, (key, named) => (te(key, locale.value) ? t(key, named ? { limit: n(named.limit) } : {}) : undefined))
  })
  document.documentElement.lang = 'en'
  // Without its texts the page is better in English than not there.
  await follow(wanted()).catch(() => {})
  watch(wanted, (code) => {
    follow(code).catch(() => show({ tone: 'bad', title: i18n.global.t('ui.language.failed') }))
  })
  addEventListener('languagechange', () => void follow(wanted()).catch(() => {}))
  return i18n as unknown as I18n
}
