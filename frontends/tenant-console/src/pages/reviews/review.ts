import type { TenantSchemas } from '@gatehouse/api'
import type { Tone } from '@gatehouse/ui'

export type Review = TenantSchemas['AccessReview']
export type ReviewItem = TenantSchemas['AccessReviewItem']
export type ScopeKind = TenantSchemas['AccessReviewScope']['kind']

export const STATUSES = ['running', 'closing', 'closed', 'cancelled'] as const
export const TONES: Record<Review['status'], Tone> = { running: 'accent', closing: 'pend', closed: 'live', cancelled: 'neutral' }
export const SCOPES: ScopeKind[] = ['organization', 'project', 'role', 'group']

/** A day as the field of a date has it, so many days from now. */
export function dayAfter(now: Date, days: number): string {
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days)
  return [at.getFullYear(), String(at.getMonth() + 1).padStart(2, '0'), String(at.getDate()).padStart(2, '0')].join('-')
}

/** The end of a day, as it is sent. */
export function endOf(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString()
}
