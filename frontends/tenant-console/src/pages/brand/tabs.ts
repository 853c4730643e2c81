/** The tabs of what concerns the organization's look, and of how it tells people and programs. */
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { may } from '@gatehouse/api'
import type { Tab } from '@gatehouse/ui'

export function useBrandTabs() {
  const { t } = useI18n()
  return computed<Tab[]>(() => [
    { label: t('brand.tab'), to: '/brand', exact: true },
    { label: t('letters.title'), to: '/brand/letters' },
  ])
}

export function useNotificationTabs() {
  const { t } = useI18n()
  return computed<Tab[]>(() => [...(may('user:read') ? [{ label: t('mail.title'), to: '/mail' }] : []), ...(may('audit:read') ? [{ label: t('webhooks.title'), to: '/webhooks' }] : [])])
}
