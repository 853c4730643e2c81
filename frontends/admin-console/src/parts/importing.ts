/** What import takes, made of a source and of what was changed in the preview. */
import { ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { data, gatewayManager, idempotencyKey, problemOf, type GatewaySchemas, type Problem } from '@gatehouse/api'
import { slugOf } from '../data'
import type { Source } from './DocumentSource.vue'

export function useImport(project: () => string) {
  const { t } = useI18n()
  const source = ref<Source>({ kind: 'file', document: '', url: '', fileName: '', backend: '' })
  const found = ref<GatewaySchemas['ApiImported'] | null>(null)
  const chosen = ref({ name: '', slug: '', basePath: '', target: '' })
  const problem = ref<Problem | null>(null)
  const busy = ref(false)
  const key = ref(idempotencyKey())

  function filled(): boolean {
    const s = source.value
    return s.kind === 'url' ? s.url.trim() !== '' : s.kind === 'none' ? s.backend.trim() !== '' : s.document.trim() !== ''
  }

  function from(): { document?: string; url?: string } {
    return source.value.kind === 'url' ? { url: source.value.url.trim() } : { document: source.value.document }
  }

  /** Asks what would be made. */
  async function preview(): Promise<boolean> {
    busy.value = true
    problem.value = null
    try {
      if (source.value.kind === 'none') {
        const host = new URL(source.value.backend.trim()).hostname
        chosen.value = { name: host, slug: slugOf(host), basePath: `/${slugOf(host.split('.')[0] ?? host)}`, target: source.value.backend.trim() }
        found.value = null
      } else {
        found.value = await data(gatewayManager.POST('/apis/import', { params: { header: {} }, body: { project: project(), ...from(), dryRun: true, stripPath: true } }))
        const api = found.value.api
        chosen.value = { name: api.name, slug: api.slug, basePath: api.basePath, target: api.upstreams[0]?.targets[0]?.url ?? '' }
      }
      key.value = idempotencyKey()
      return true
    } catch (error) {
      problem.value =
        error instanceof TypeError && source.value.kind === 'none'
          ? { type: 'about:blank', title: t('import.noAddress'), detail: t('import.noAddressText'), status: 0, code: 'no-address' }
          : problemOf(error)
      return false
    } finally {
      busy.value = false
    }
  }

  /** Makes the API. A second press is the same request. */
  async function make(): Promise<GatewaySchemas['Api'] | null> {
    busy.value = true
    problem.value = null
    const { name, slug, basePath, target } = chosen.value
    try {
      const params = { header: { 'Idempotency-Key': key.value } }
      if (source.value.kind === 'none') {
        return await data(gatewayManager.POST('/apis', { params, body: { project: project(), name, slug, basePath, stripPath: true, upstreams: [{ targets: [{ url: target }] }] } }))
      }
      const original = found.value?.api.upstreams[0]
      const upstream = target ? { ...original, targets: target === original?.targets[0]?.url ? original.targets : [{ url: target }] } : undefined
      const made = await data(
        gatewayManager.POST('/apis/import', {
          params,
          body: { project: project(), ...from(), name, slug, basePath, stripPath: true, dryRun: false, ...(upstream ? { upstream } : {}) },
        }),
      )
      return made.api
    } catch (error) {
      problem.value = problemOf(error)
      key.value = idempotencyKey()
      return null
    } finally {
      busy.value = false
    }
  }

  return { source, found, chosen, problem, busy, filled, preview, make }
}
