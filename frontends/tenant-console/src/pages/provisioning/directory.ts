/** A directory of an identity provider, as its form has it. */
import type { TenantSchemas } from '@gatehouse/api'

export type Directory = TenantSchemas['ScimDirectory']

/** The choice of domains of its own in place of those of a single sign-on. */
export const OWN = 'own'

export interface DirectoryForm {
  name: string
  enabled: boolean
  /** It rehearses: everything is answered as if it were done, and nothing is written. */
  dryRun: boolean
  /** The id of a single sign-on, or OWN. */
  connection: string
  domains: string[]
}

export function empty(): DirectoryForm {
  return { name: '', enabled: true, dryRun: false, connection: OWN, domains: [] }
}

export function formOf(d: Directory): DirectoryForm {
  return { name: d.name, enabled: d.enabled, dryRun: d.dryRun ?? false, connection: d.connection ?? OWN, domains: d.connection ? [] : [...d.domains] }
}

/** What is sent: either the single sign-on, or domains. */
export function bodyOf(form: DirectoryForm): TenantSchemas['ScimDirectoryInput'] {
  const of = form.connection === OWN ? { domains: form.domains } : { connection: form.connection }
  return { name: form.name.trim(), enabled: form.enabled, dryRun: form.dryRun, ...of }
}

/** How a directory is used. */
export type Mode = 'on' | 'dry' | 'off'
export const MODES: Mode[] = ['on', 'dry', 'off']

export function modeOf(d: { enabled: boolean; dryRun?: boolean }): Mode {
  if (!d.enabled) return 'off'
  return d.dryRun ? 'dry' : 'on'
}

/** A directory that is switched off has no dry run that goes on. */
export function withMode(form: DirectoryForm, mode: Mode): DirectoryForm {
  return { ...form, enabled: mode !== 'off', dryRun: mode === 'dry' }
}

export const TONES = {
  created: 'live',
  linked: 'live',
  enabled: 'live',
  updated: 'neutral',
  'members-changed': 'neutral',
  disabled: 'warn',
  deleted: 'bad',
  refused: 'bad',
  failed: 'bad',
} as const satisfies Record<TenantSchemas['ScimAction'], string>

/** What a dry run came to, in a sentence: 3 users created, 1 group changed. */
export function countsText(counts: TenantSchemas['ScimActionCount'][], text: (key: string, n: number) => string): string {
  return counts.map((c) => text(`scim.outcome.counts.${c.action}.${c.kind ?? 'any'}`, c.count)).join(', ')
}
