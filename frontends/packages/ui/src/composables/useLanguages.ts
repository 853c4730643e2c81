/** The languages to choose from, as entries of a menu or a list. */
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { languageCodes, languages } from '../languages'
import { preferences } from '../preferences'

export function useLanguages() {
  const { t } = useI18n()
  return computed(() => [
    { value: '', label: t('ui.language.browser'), chosen: !preferences.language },
    ...languageCodes.map((code) => ({ value: code as string, label: languages[code] as string, chosen: preferences.language === code })),
  ])
}
