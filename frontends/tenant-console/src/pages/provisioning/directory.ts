/** A directory of an identity provider, as its form has it. */
import type { TenantSchemas } from '@gatehouse/api'

export type Directory = TenantSchemas['ScimDirectory']

/** The choice of domains of its own in place of those of a single sign-on. */
export const OWN = 'own'

export interface DirectoryForm {
  name: string
  enabled: boolean
  /** The id of a single sign-on, or OWN. */
  connection: string
  domains: string[]
}

export function empty(): DirectoryForm {
  return { name: '', enabled: true, connection: OWN, domains: [] }
}

export function formOf(d: Directory): DirectoryForm {
  return { name: d.name, enabled: d.enabled, connection: d.connection ?? OWN, domains: d.connection ? [] : [...d.domains] }
}

/** What is sent: either the single sign-on, or domains. */
export function bodyOf(form: DirectoryForm): TenantSchemas['ScimDirectoryInput'] {
  const of = form.connection === OWN ? { domains: form.domains } : { connection: form.connection }
  return { name: form.name.trim(), enabled: form.enabled, ...of }
}
