import type { TenantSchemas } from '@gatehouse/api'
import type { Tone } from '@gatehouse/ui'

export type Finding = TenantSchemas['PostureFinding']
export type Posture = TenantSchemas['Posture']
export type Severity = TenantSchemas['PostureSeverity']

export const TONES: Record<Severity, Tone> = { critical: 'bad', warning: 'warn', notice: 'accent', ok: 'live' }

const LISTS: Partial<Record<Finding['code'], { path: string; q?: string }>> = {
  'users-without-factor': { path: '/users', q: 'status:active mfa:no' },
  'few-owners': { path: '/grants', q: 'role:owner' },
  'audit-broken': { path: '/audit' },
  'audit-unverified': { path: '/audit' },
  'accounts-locked': { path: '/audit', q: 'action:user.signed-in outcome:refused' },
  'unknown-accounts-tried': { path: '/audit', q: 'action:user.signed-in outcome:refused' },
  'standing-grants': { path: '/grants', q: 'standing:yes' },
  'mail-failing': { path: '/mail', q: 'state:dead' },
  'requests-pending': { path: '/requests', q: 'status:pending' },
  'invitations-pending': { path: '/invitations', q: 'status:pending' },
  'reviews-running': { path: '/reviews', q: 'status:running' },
}

/** The list of exactly those that a finding counts; nothing where they are named in the finding itself. */
export function listOf(code: Finding['code']): { path: string; query?: { q: string } } | undefined {
  const list = LISTS[code]
  return list && { path: list.path, ...(list.q ? { query: { q: list.q } } : {}) }
}

const PAGES: Record<Finding['items'][number]['kind'], string> = { user: 'users', 'service-account': 'service-accounts', 'sso-connection': 'sso', 'scim-directory': 'provisioning', 'oauth-client': 'auth/clients' }

/** Where the page of something that a finding names is. */
export function pageOfItem(item: Finding['items'][number]): string {
  return `/${PAGES[item.kind]}/${item.id}`
}

/** The query of the audit log for refused sign-ins in a span of time. */
export function refusedSince(from: string, to?: string): { path: string; query: { q: string } } {
  return { path: '/audit', query: { q: `action:user.signed-in outcome:refused from:${from}${to ? ` to:${to}` : ''}` } }
}
