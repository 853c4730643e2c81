/** Languages. English is complete; others are loaded when chosen. */
import { createI18n, type I18n } from 'vue-i18n'
import en from './locales/en'
import { preferences } from './preferences'

export interface Texts {
  [key: string]: string | Texts
}

/** One language of an app: its own texts, loaded when they are needed. */
export type Language = () => Promise<{ default: Texts }>

/** Languages of the shared components beside English. A translation adds itself here. */
const shared: Record<string, Language> = {}

export async function makeI18n(texts: Texts, languages: Record<string, Language> = {}): Promise<I18n> {
  const messages: Record<string, Texts> = { en: { ui: en, ...texts } }
  const wanted = preferences.language
  if (wanted !== 'en' && languages[wanted]) {
    const [own, common] = await Promise.all([languages[wanted](), shared[wanted]?.()])
    messages[wanted] = { ...(common ? { ui: common.default } : {}), ...own.default }
  }
  return createI18n({
    legacy: false,
    locale: messages[wanted] ? wanted : 'en',
    fallbackLocale: 'en',
    messages: messages as Record<string, Record<string, string>>,
    missingWarn: import.meta.env.DEV,
    fallbackWarn: import.meta.env.DEV,
  }) as I18n
}
