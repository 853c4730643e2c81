/** The filters of the audit log: as they stand in the query bar, and as they are asked for. */
import type { CursorRequest } from '@gatehouse/ui'

export const FILTERS = ['actor', 'impersonator', 'action', 'target', 'service', 'outcome', 'via', 'from', 'to'] as const
export const VIAS = ['console', 'api', 'service', 'system'] as const

/** The query of the list and of an export; what cannot be read narrows nothing. */
export interface AuditQuery {
  q?: string
  actor?: string
  impersonator?: string
  action?: string
  target?: string
  service?: string
  outcome?: 'done' | 'refused'
  via?: (typeof VIAS)[number]
  from?: string
  to?: string
}

const time = (value: string | undefined) => (value && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : undefined)

/** What the words and filters of the query bar ask for. */
export function auditQuery(r: Pick<CursorRequest, 'text' | 'filters'>): AuditQuery {
  const f = r.filters
  const via = VIAS.find((v) => v === f.via)
  const from = time(f.from)
  const to = time(f.to)
  return {
    ...(r.text ? { q: r.text } : {}),
    ...(f.actor ? { actor: f.actor } : {}),
    ...(f.impersonator ? { impersonator: f.impersonator } : {}),
    ...(f.action ? { action: f.action } : {}),
    ...(f.target ? { target: f.target } : {}),
    ...(f.service ? { service: f.service } : {}),
    ...(f.outcome === 'done' || f.outcome === 'refused' ? { outcome: f.outcome } : {}),
    ...(via ? { via } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
  }
}

/** Where an export of what is shown comes from: lines of JSON to verify, or a table. */
export function exportAddress(query: AuditQuery, format?: 'csv'): string {
  const search = new URLSearchParams({ ...query, ...(format ? { format } : {}) }).toString()
  return `/api/tenant-manager/v1/audit/export${search ? `?${search}` : ''}`
}
