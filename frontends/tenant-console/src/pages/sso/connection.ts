/** A connection to an identity provider, as its form has it. */
import type { TenantSchemas } from '@gatehouse/api'
import { emptyLdap, ldapBodyOf, ldapFormOf, type LdapForm } from './ldap'
import { emptyOAuth2, oauth2BodyOf, oauth2FormOf, type OAuth2Form } from './oauth2'
import { emptySAML, samlBodyOf, samlFormOf, type SAMLForm } from './saml'

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
  signOutAtProvider: boolean
  domains: string[]
  provision: boolean
  roles: string[]
  groupRoles: { group: string; role: string }[]
  /** Each is of the kind of its name. */
  saml: SAMLForm
  ldap: LdapForm
  oauth2: OAuth2Form
}

interface Defaults {
  example: string
  scopes: string[]
  emailClaim: string
  nameClaim: string
  groupsClaim: string
  trustEmail: boolean
  saml?: Partial<SAMLForm>
}

const oidc = { nameClaim: 'name', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false }
const saml = { example: '', nameClaim: 'name', scopes: [], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false }
const directory = { ...saml, trustEmail: true }
const CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims'

/** What the form begins with for each provider of a kind; all of it can be changed. */
export const PRESETS: Record<Kind, Partial<Record<Preset, Defaults>>> = {
  oidc: {
    // Entra says of no address whether it is verified, and names groups by their ids.
    entra: { ...oidc, example: 'https://login.microsoftonline.com/TENANT/v2.0', trustEmail: true },
    okta: { ...oidc, example: 'https://acme.okta.com', scopes: ['email', 'profile', 'groups'] },
    google: { ...oidc, example: 'https://accounts.google.com' },
    keycloak: { ...oidc, example: 'https://keycloak.example.com/realms/acme', groupsClaim: 'realm_access.roles' },
    generic: { ...oidc, example: 'https://login.example.com' },
  },
  saml: {
    entra: {
      ...saml, example: 'https://login.microsoftonline.com/TENANT/federationmetadata/2007-06/federationmetadata.xml?appid=APP', emailClaim: `${CLAIMS}/emailaddress`,
      nameClaim: 'http://schemas.microsoft.com/identity/claims/displayname', groupsClaim: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups', trustEmail: true,
    },
    okta: { ...saml, example: 'https://acme.okta.com/app/APP/sso/saml/metadata', trustEmail: true, saml: { nameIdFormat: 'unspecified' } },
    keycloak: { ...saml, example: 'https://keycloak.example.com/realms/acme/protocol/saml/descriptor', groupsClaim: 'Role' },
    adfs: {
      ...saml, example: 'https://adfs.example.com/FederationMetadata/2007-06/FederationMetadata.xml', emailClaim: `${CLAIMS}/emailaddress`, nameClaim: `${CLAIMS}/name`,
      groupsClaim: 'http://schemas.xmlsoap.org/claims/Group', trustEmail: true, saml: { nameIdFormat: 'unspecified' },
    },
    generic: { ...saml, example: 'https://login.example.com/saml/metadata' },
  },
  // A directory is asked for attributes, which its own fields name.
  ldap: { 'active-directory': directory, openldap: directory, generic: directory },
  oauth2: {
    github: { ...oidc, example: 'https://github.com', scopes: ['read:user', 'user:email', 'read:org'] },
    generic: { ...oidc, example: 'https://login.example.com', scopes: [] },
  },
}

export const KINDS = Object.keys(PRESETS) as Kind[]

export function defaultsOf(kind: Kind, preset: Preset): Defaults {
  return PRESETS[kind][preset] ?? PRESETS[kind].generic!
}

export const presetsOf = (kind: Kind) => Object.keys(PRESETS[kind]) as Preset[]

/** The text that names a preset. */
export const presetText = (kind: Kind, preset: Preset) => (preset === 'generic' ? `sso.others.${kind}` : `sso.presets.${preset}`)

export function empty(kind: Kind, preset: Preset = presetsOf(kind)[0]!): ConnectionForm {
  const { scopes, emailClaim, nameClaim, groupsClaim, trustEmail, saml } = defaultsOf(kind, preset)
  return {
    kind, name: '', preset, issuer: kind === 'oidc' && preset === 'google' ? GOOGLE : '', clientId: '', clientSecret: '', scopes: [...scopes], emailClaim, nameClaim, groupsClaim, trustEmail,
    enabled: false, signOutAtProvider: false, domains: [], provision: false, roles: [], groupRoles: [], saml: { ...emptySAML(), ...saml }, oauth2: emptyOAuth2(preset), ldap: emptyLdap(),
  }
}

const GOOGLE = PRESETS.oidc.google!.example

/** Takes on the defaults of another provider, and keeps what was typed in of the rest. */
export function switched(form: ConnectionForm, kind: Kind, preset: Preset = presetsOf(kind)[0]!): ConnectionForm {
  const begun = empty(kind, preset)
  return {
    ...form, kind, preset, issuer: form.issuer && form.issuer !== GOOGLE ? form.issuer : begun.issuer, scopes: begun.scopes, emailClaim: begun.emailClaim, nameClaim: begun.nameClaim,
    groupsClaim: begun.groupsClaim, trustEmail: begun.trustEmail, saml: { ...form.saml, nameIdFormat: begun.saml.nameIdFormat }, oauth2: begun.oauth2,
  }
}

export function formOf(c: Connection): ConnectionForm {
  return {
    kind: c.kind, name: c.name, preset: c.preset, issuer: c.issuer, clientId: c.clientId, clientSecret: '', scopes: [...c.scopes], emailClaim: c.emailClaim, nameClaim: c.nameClaim, groupsClaim: c.groupsClaim,
    trustEmail: c.trustEmail, enabled: c.enabled, signOutAtProvider: c.signOutAtProvider, domains: [...c.domains], provision: c.provision, roles: [...c.roles], groupRoles: c.groupRoles.map((g) => ({ ...g })),
    saml: samlFormOf(c.saml), oauth2: oauth2FormOf(c.preset, c.oauth2), ldap: ldapFormOf(c.ldap, c.preset),
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
  const claims = { ...body, emailClaim, nameClaim, groupsClaim }
  if (kind === 'saml') return { ...claims, saml: samlBodyOf(form.saml) }
  const client = { ...claims, scopes, clientId: form.clientId.trim(), ...(clientSecret ? { clientSecret } : {}) }
  return kind === 'oauth2' ? { ...client, oauth2: oauth2BodyOf(preset, form.oauth2) } : { ...client, issuer: form.issuer.trim(), signOutAtProvider: form.signOutAtProvider }
}

const DAY = 86_400_000

/** What sign-in by a connection depends on that ends within 30 days, and how bad that is: worse from 7 days before. */
export function ending(c: Pick<TenantSchemas['SsoConnection'], 'ends'>, now = Date.now()): { what: TenantSchemas['SsoEnd']['what']; at: string; tone: 'warn' | 'bad' }[] {
  return (c.ends ?? [])
    .map((e) => ({ ...e, days: (new Date(e.at).getTime() - now) / DAY }))
    .filter((e) => e.days <= 30)
    .map((e) => ({ what: e.what, at: e.at, tone: e.days <= 7 ? ('bad' as const) : ('warn' as const) }))
}

/** What a preview is asked with: the rows that are complete, as they would be saved. */
export function previewBodyOf(form: ConnectionForm, connection: string, groups: string[]): TenantSchemas['SsoGroupRolePreviewInput'] {
  const trimmed = form.groupRoles.map((g) => ({ group: g.group.trim(), role: g.role })).filter((g) => g.group && g.role)
  return {
    groupRoles: trimmed,
    ...(connection ? { connection } : {}),
    ...(form.provision ? { roles: form.roles } : {}),
    ...(form.kind !== 'ldap' && form.groupsClaim.trim() ? { groupsClaim: form.groupsClaim.trim() } : {}),
    ...(groups.length ? { groups } : {}),
  }
}
