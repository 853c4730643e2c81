/** What a problem is called in the language that is shown; as the server calls it where there is no text for its code. */
import { useI18n } from 'vue-i18n'
import type { Problem } from '@gatehouse/api'

export function useProblemTitle(): (problem: Problem | null) => string {
  const { t, te } = useI18n()
  return (problem) => {
    if (!problem) return ''
    const key = `ui.problems.${problem.code}`
    return te(key) ? t(key) : problem.title
  }
}
