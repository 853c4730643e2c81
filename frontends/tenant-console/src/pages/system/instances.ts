/** What the system pages share: their tabs, and what the instances of services report. */
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { data, tenantManager, type TenantSchemas } from '@gatehouse/api'
import type { Tab } from '@gatehouse/ui'

export type Instance = TenantSchemas['SystemInstance']
export type Job = TenantSchemas['SystemJob']

export const PAGES = ['health', 'jobs', 'upgrade', 'keys', 'settings', 'licences', 'backup'] as const

export function useSystemTabs() {
  const { t } = useI18n()
  return computed<Tab[]>(() => PAGES.map((page) => ({ label: t(`system.${page}.title`), to: `/system/${page}` })))
}

/** The instances; they report every ten seconds. */
export function useInstances() {
  return useQuery({ queryKey: ['system-instances'], refetchInterval: 5000, queryFn: ({ signal }) => data(tenantManager.GET('/system/instances', { signal })) })
}

/** What is wrong with an instance, as keys of texts; nothing = all is well. */
export function troubles(i: Instance, now: number): string[] {
  const out: string[] = []
  if (now - Date.parse(i.at) > 30_000) out.push('silent')
  if (i.database?.error) out.push('database')
  if (i.database?.pending?.length) out.push('pending')
  if (i.database?.replicas?.some((r) => !r.up)) out.push('replica')
  if ((i.database?.oldestEvent ?? 0) > 60) out.push('outbox')
  if (i.secrets.stale > 0) out.push('stale')
  if (i.secrets.missing > 0) out.push('missing')
  if (i.jobs.some((j) => j.error)) out.push('jobs')
  return out
}

/** A job of a service, as the instance that does it tells of it. */
export interface ServiceJob extends Job {
  service: string
  instance: string
}

/** Each job once: of the instance that does it, else of any. */
export function jobsOf(instances: readonly Instance[]): ServiceJob[] {
  const out = new Map<string, ServiceJob>()
  for (const i of instances) {
    for (const j of i.jobs) {
      const key = `${i.service}/${j.name}`
      const was = out.get(key)
      if (!was || (j.holds && !was.holds) || (j.holds === was.holds && (j.startedAt ?? '') > (was.startedAt ?? ''))) out.set(key, { ...j, service: i.service, instance: i.instance })
    }
  }
  return [...out.values()]
}

export interface ServiceKeys {
  service: string
  ring: string[]
  columns: { table: string; column: string; total: number; old: number; values: [string, number][] }[]
  total: number
  /** How many values are encrypted with the newest key. */
  current: number
  /** How many are on an older key of the keyring, or on none, and can be encrypted anew. */
  old: number
  /** How many cannot be read, by the id of the key that is not in the keyring. */
  missing: [string, number][]
  /** Whether instances run with other keys. */
  differ: boolean
}

/** Stands for what no key has encrypted. */
export const NO_KEY = 'unknown'

/** The keys of each service that encrypts something. */
export function keysOf(instances: readonly Instance[]): ServiceKeys[] {
  const out: ServiceKeys[] = []
  for (const service of new Set(instances.map((i) => i.service))) {
    const of = instances.filter((i) => i.service === service && i.keys)
    const keys = of.at(-1)?.keys
    if (!keys) continue
    const columns = keys.columns.map((c) => {
      const values = Object.entries(c.values).sort((a, b) => b[1] - a[1])
      const total = values.reduce((n, [, v]) => n + v, 0)
      return { table: c.table, column: c.column, total, old: total - (c.values[keys.ring[0] ?? ''] ?? 0), values }
    })
    const total = columns.reduce((n, c) => n + c.total, 0)
    const lost = new Map<string, number>()
    for (const [id, n] of columns.flatMap((c) => c.values)) if (id !== NO_KEY && !keys.ring.includes(id)) lost.set(id, (lost.get(id) ?? 0) + n)
    const missing = [...lost].sort()
    const stale = columns.reduce((n, c) => n + c.old, 0)
    out.push({ service, ring: keys.ring, columns, total, current: total - stale, old: stale - missing.reduce((n, [, v]) => n + v, 0), missing, differ: of.some((i) => i.keys?.ring.join() !== keys.ring.join()) })
  }
  return out
}

/** Seconds as people read them. */
export function span(seconds: number | undefined): string {
  if (seconds === undefined) return '–'
  if (seconds < 0.001) return '< 1 ms'
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 90) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}
