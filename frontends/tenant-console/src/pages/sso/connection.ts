/** A connection to an identity provider, as its form has it. */
import type { TenantSchemas } from '@gatehouse/api'
import { emptyLdap, LDAP_PRESETS, ldapBodyOf, ldapFormOf, type LdapForm } from './ldap'

export type Connection = TenantSchemas['SsoConnection']
export type Kind = TenantSchemas['SsoKind']
export type Preset = TenantSchemas['SsoPreset']

export interface ConnectionForm {
  kind: Kind
  name: string
  preset: Preset
  issuer: string
  clientId: string
  clientSecret: string
  scopes: string[]
  emailClaim: string
  nameClaim: string
  groupsClaim: string
  trustEmail: boolean
  enabled: boolean
  domains: string[]
  provision: boolean
  roles: string[]
  groupRoles: { group: string; role: string }[]
  /** Of the kind ldap. */
  ldap: LdapForm
}

type OIDCPreset = Exclude<Preset, 'active-directory' | 'openldap'>

interface Defaults {
  example: string
  scopes: string[]
  emailClaim: string
  groupsClaim: string
  trustEmail: boolean
}

/** What the form begins with for each OpenID Connect provider; all of it can be changed. */
export const PRESETS: Record<OIDCPreset, Defaults> = {
  // Entra says of no address whether it is verified, and names groups by their ids.
  entra: { example: 'https://login.microsoftonline.com/TENANT/v2.0', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: true },
  okta: { example: 'https://acme.okta.com', scopes: ['email', 'profile', 'groups'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false },
  google: { example: 'https://accounts.google.com', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false },
  keycloak: { example: 'https://keycloak.example.com/realms/acme', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'realm_access.roles', trustEmail: false },
  generic: { example: 'https://login.example.com', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false },
}

/** The presets of each kind; a form begins with the first. */
export const KINDS: Record<Kind, readonly Preset[]> = { oidc: Object.keys(PRESETS) as OIDCPreset[], ldap: LDAP_PRESETS }

/** The text that names a preset. */
export const presetText = (kind: Kind, preset: Preset) => `sso.presets.${kind === 'ldap' && preset === 'generic' ? 'ldap' : preset}`

const oidcDefaults = (preset: Preset) => PRESETS[preset in PRESETS ? (preset as OIDCPreset) : 'generic']

export function empty(kind: Kind, preset: Preset = KINDS[kind][0]!): ConnectionForm {
  const { scopes, emailClaim, groupsClaim, trustEmail } = oidcDefaults(preset)
  return {
    kind, name: '', preset, issuer: preset === 'google' ? PRESETS.google.example : '', clientId: '', clientSecret: '', scopes: [...scopes], emailClaim, nameClaim: 'name', groupsClaim,
    trustEmail: trustEmail || kind === 'ldap', enabled: false, domains: [], provision: false, roles: [], groupRoles: [], ldap: emptyLdap(),
  }
}

/** An example of an issuer. */
export const issuerExample = (preset: Preset) => oidcDefaults(preset).example

/** Takes on the defaults of another provider, and keeps what was typed in of the rest. */
export function switched(form: ConnectionForm, kind: Kind, preset: Preset): ConnectionForm {
  const begun = empty(kind, preset)
  return { ...form, kind, preset, issuer: form.issuer && form.issuer !== PRESETS.google.example ? form.issuer : begun.issuer, scopes: begun.scopes, emailClaim: begun.emailClaim, groupsClaim: begun.groupsClaim, trustEmail: begun.trustEmail }
}

export function formOf(c: Connection): ConnectionForm {
  return {
    kind: c.kind, name: c.name, preset: c.preset, issuer: c.issuer, clientId: c.clientId, clientSecret: '', scopes: [...c.scopes], emailClaim: c.emailClaim, nameClaim: c.nameClaim, groupsClaim: c.groupsClaim,
    trustEmail: c.trustEmail, enabled: c.enabled, domains: [...c.domains], provision: c.provision, roles: [...c.roles], groupRoles: c.groupRoles.map((g) => ({ ...g })), ldap: ldapFormOf(c.ldap, c.preset),
  }
}

/** What is sent: a secret that was not typed in stays as it is, and rows of groups without a name are left out. */
export function bodyOf(form: ConnectionForm): TenantSchemas['SsoConnectionInput'] {
  const { kind, preset, trustEmail, enabled, domains, provision, roles } = form
  const body = {
    kind, preset, trustEmail, enabled, domains, provision, roles,
    name: form.name.trim(),
    groupRoles: form.groupRoles.filter((g) => g.group.trim() && g.role).map((g) => ({ group: g.group.trim(), role: g.role })),
  }
  if (kind === 'ldap') return { ...body, ldap: ldapBodyOf(form.ldap) }
  const { clientSecret, scopes, emailClaim, nameClaim, groupsClaim } = form
  return { ...body, scopes, emailClaim, nameClaim, groupsClaim, issuer: form.issuer.trim(), clientId: form.clientId.trim(), ...(clientSecret ? { clientSecret } : {}) }
}
