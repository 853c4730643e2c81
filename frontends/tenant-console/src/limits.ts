/** What organizations can be limited in. */
import type { TenantSchemas } from '@gatehouse/api'

export type Resource = TenantSchemas['UsageItem']['resource']

export const RESOURCES: readonly Resource[] = ['users', 'serviceAccounts', 'projects', 'apis', 'environments', 'gatewayGroups', 'applications', 'policySets']

/** The changes that lead from the limits there are to what was typed: a number, or null for none. Nothing where nothing changes. */
export function limitsPatch(typed: Record<Resource, string | number>, was: Partial<Record<Resource, number>>): Partial<Record<Resource, number | null>> | null {
  const out: Partial<Record<Resource, number | null>> = {}
  for (const r of RESOURCES) {
    const text = String(typed[r] ?? '').trim()
    const now = text === '' ? null : Number(text)
    if (now !== (was[r] ?? null)) out[r] = now
  }
  return Object.keys(out).length ? out : null
}
