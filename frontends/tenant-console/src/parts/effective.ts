/** What somebody may do, as rows that people read. */
import type { TenantSchemas } from '@gatehouse/api'
import type { Scope } from '../data'

type Item = TenantSchemas['EffectivePermission']

/** Permissions on one kind of thing, at one place, with the same outcome for the same reasons. */
export interface Together {
  key: string
  kind: string
  permissions: string[]
  scope: Scope
  allowed: boolean
  because: Item['because']
  more: number
}

/** What makes two permissions the same row; sentences differ, because they name the permission. */
function signature(item: Item, kind: string): string {
  return JSON.stringify([kind, item.project, item.api, item.environment, item.allowed, item.more, item.because.map((r) => [r.code, r.grant, r.role, r.via])])
}

/** Puts together what differs in the verb alone, in the order of the first of each. */
export function together(items: readonly Item[]): Together[] {
  const rows = new Map<string, Together>()
  for (const item of items) {
    const kind = item.permission.split(':')[0]!
    const key = signature(item, kind)
    const row = rows.get(key)
    if (row) row.permissions.push(item.permission)
    else {
      const scope: Scope = { ...(item.project ? { project: item.project } : {}), ...(item.api ? { api: item.api } : {}), ...(item.environment ? { environment: item.environment } : {}) }
      rows.set(key, { key, kind, permissions: [item.permission], scope, allowed: item.allowed, because: item.because, more: item.more ?? 0 })
    }
  }
  return [...rows.values()]
}
