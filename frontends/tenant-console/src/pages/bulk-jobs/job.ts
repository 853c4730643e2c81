/** Bulk jobs: how their states and outcomes look. */
import type { TenantSchemas } from '@gatehouse/api'
import type { Tone } from '@gatehouse/ui'

export type BulkJob = TenantSchemas['BulkJob']
export type BulkRow = TenantSchemas['BulkJobRow']
export type BulkAction = TenantSchemas['BulkJobAction']
export type BulkOutcome = TenantSchemas['BulkJobOutcome']

export const STATUSES = ['checking', 'ready', 'running', 'completed', 'cancelled', 'stopped'] as const satisfies readonly BulkJob['status'][]
export const ACTIONS = ['invite', 'resend-invitation', 'disable', 'enable', 'add-to-group', 'remove-from-group', 'reset-factors', 'password-link', 'delete'] as const satisfies readonly BulkAction[]
export const OUTCOMES = ['done', 'unchanged', 'refused', 'failed', 'cancelled', 'pending'] as const satisfies readonly BulkOutcome[]

export const STATUS_TONES: Record<BulkJob['status'], Tone> = { checking: 'pend', ready: 'accent', running: 'pend', completed: 'live', cancelled: 'neutral', stopped: 'bad' }
export const OUTCOME_TONES: Record<BulkOutcome, Tone> = { done: 'live', unchanged: 'neutral', refused: 'warn', failed: 'bad', cancelled: 'neutral', pending: 'pend' }

/** What takes something away from those to whom it is done. */
export const HARSH: readonly BulkAction[] = ['disable', 'reset-factors', 'delete', 'remove-from-group']

/** Whether the service works on it now. */
export function working(job: Pick<BulkJob, 'status'> | undefined): boolean {
  return job?.status === 'checking' || job?.status === 'running'
}

/** The names of the columns of a list, by its first line. */
export function headersOf(csv: string): string[] {
  const first = csv.replace(/^\ufeff/, '').split(/\r\n|\r|\n/, 1)[0] ?? ''
  const sign = [',', ';', '\t'].map((s) => ({ s, n: first.split(s).length })).reduce((a, b) => (b.n > a.n ? b : a)).s
  const names = first.split(sign).map((h) => h.trim().replace(/^"(.*)"$/, '$1').replaceAll('""', '"').trim())
  return [...new Set(names)].filter(Boolean)
}
