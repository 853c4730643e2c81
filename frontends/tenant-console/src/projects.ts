/** Projects and environments are two lists of one place. */
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { may } from '@gatehouse/api'

export function useProjectTabs() {
  const { t } = useI18n()
  return computed(() => [
    ...(may('project:read') ? [{ label: t('projects.title'), to: '/projects' }] : []),
    ...(may('environment:read') ? [{ label: t('environments.title'), to: '/environments' }] : []),
  ])
}
