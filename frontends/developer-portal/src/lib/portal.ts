/** What several pages ask the service for. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, watchEffect, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { data, devportalBackend, session, type PortalSchemas } from '@gatehouse/api'

export type Entry = PortalSchemas['CatalogueEntry']
export type Item = PortalSchemas['CatalogueItem']
export type Plan = PortalSchemas['Plan']
export type Application = PortalSchemas['Application']
export type Credential = PortalSchemas['Credential']
export type Subscription = PortalSchemas['Subscription']
export type OperationPage = PortalSchemas['OperationPage']
export type SchemaNode = PortalSchemas['SchemaNode']

/** What the portal is called, and how it looks. */
export function usePortal() {
  return useQuery({
    queryKey: ['portal'],
    queryFn: ({ signal }) => data(devportalBackend.GET('/portal', { signal })),
    staleTime: 60_000,
  })
}

export function useEntry(api: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['entry', toValue(api), session.value.signedIn]),
    queryFn: ({ signal }) => data(devportalBackend.GET('/catalogue/{api}', { params: { path: { api: toValue(api) } }, signal })),
    staleTime: 30_000,
  })
}

/** Own applications, all on one page: people have few. */
export function useApplications() {
  return useQuery({
    queryKey: ['applications'],
    queryFn: ({ signal }) => data(devportalBackend.GET('/applications', { params: { query: { limit: 200 } }, signal })),
    enabled: () => session.value.signedIn,
  })
}

/** Own subscriptions to an API, or of an application. */
export function useSubscriptions(filter: MaybeRefOrGetter<{ api?: string; application?: string }>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: computed(() => ['subscriptions', toValue(filter)]),
    queryFn: ({ signal }) => data(devportalBackend.GET('/subscriptions', { params: { query: { ...toValue(filter), limit: 200 } }, signal })),
    enabled: () => session.value.signedIn && toValue(enabled),
  })
}

/** The title of the browser's tab. */
export function useTitle(title: MaybeRefOrGetter<string | undefined>) {
  const portal = usePortal()
  const { t } = useI18n()
  watchEffect(() => {
    const place = portal.data.value?.title ?? t('app.name')
    document.title = toValue(title) ? `${toValue(title)} · ${place}` : place
  })
}

/** Where an operation's page is. */
export function operationPath(api: string, operation: string) {
  return { name: 'apis.operation', params: { api, operation } }
}

const TONES = { active: 'live', pending: 'pend', paused: 'warn', rejected: 'bad', closed: 'neutral', expiring: 'warn', expired: 'neutral', revoked: 'neutral' } as const

export function toneOf(status: string) {
  return TONES[status as keyof typeof TONES] ?? 'neutral'
}

/** The schema of a body; one that several bodies have is kept once for the page. */
export function whole(page: OperationPage, node: SchemaNode | undefined): SchemaNode | undefined {
  return node?.shared && node.ref ? (page.schemas?.[node.ref] ?? node) : node
}
