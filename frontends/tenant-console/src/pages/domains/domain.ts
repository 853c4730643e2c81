/** What pages know of domains. */
import type { TenantSchemas } from '@gatehouse/api'

export type Domain = TenantSchemas['Domain']
export const STATUSES = ['pending', 'verified', 'failing', 'lost'] as const
export const TONES = { pending: 'pend', verified: 'live', failing: 'warn', lost: 'bad' } as const
export const RULES = ['off', 'preferred', 'required'] as const

/** How people of a domain sign in, as it is edited. */
export interface RuleForm {
  connection: string
  singleSignOn: TenantSchemas['SignInRule']
  staged: boolean
  groups: string[]
}

/** No connection, as a choice: the value of a choice is never empty. */
export const NONE = 'none'

/** The form of a domain. */
export function formOf(d: Domain): RuleForm {
  return { connection: d.connection?.id ?? NONE, singleSignOn: d.singleSignOn, staged: d.groups.length > 0, groups: d.groups.map((g) => g.id) }
}

/** What is sent of a form. */
export function bodyOf(f: RuleForm): TenantSchemas['DomainPatch'] {
  return { connection: f.connection === NONE ? '' : f.connection, singleSignOn: f.singleSignOn, groups: f.singleSignOn === 'required' && f.staged ? f.groups : [] }
}

/** Whether a form would change something. */
export function changes(f: RuleForm, d: Domain): boolean {
  return JSON.stringify(bodyOf(f)) !== JSON.stringify(bodyOf(formOf(d)))
}
