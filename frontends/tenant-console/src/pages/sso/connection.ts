/** A connection to an identity provider, as its form has it. */
import type { TenantSchemas } from '@gatehouse/api'

export type Connection = TenantSchemas['SsoConnection']
export type Preset = TenantSchemas['SsoPreset']

export interface ConnectionForm {
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
}

interface Defaults {
  example: string
  scopes: string[]
  emailClaim: string
  groupsClaim: string
  trustEmail: boolean
}

/** What the form begins with for each provider; all of it can be changed. */
export const PRESETS: Record<Preset, Defaults> = {
  // Entra says of no address whether it is verified, and names groups by their ids.
  entra: { example: 'https://login.microsoftonline.com/TENANT/v2.0', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: true },
  okta: { example: 'https://acme.okta.com', scopes: ['email', 'profile', 'groups'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false },
  google: { example: 'https://accounts.google.com', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false },
  keycloak: { example: 'https://keycloak.example.com/realms/acme', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'realm_access.roles', trustEmail: false },
  generic: { example: 'https://login.example.com', scopes: ['email', 'profile'], emailClaim: 'email', groupsClaim: 'groups', trustEmail: false },
}

export function empty(preset: Preset): ConnectionForm {
  const { scopes, emailClaim, groupsClaim, trustEmail } = PRESETS[preset]
  return {
    name: '', preset, issuer: preset === 'google' ? PRESETS.google.example : '', clientId: '', clientSecret: '', scopes: [...scopes], emailClaim, nameClaim: 'name', groupsClaim, trustEmail,
    enabled: false, domains: [], provision: false, roles: [], groupRoles: [],
  }
}

/** Takes on the defaults of another provider, and keeps what was typed in of the rest. */
export function switched(form: ConnectionForm, preset: Preset): ConnectionForm {
  const begun = empty(preset)
  return { ...form, preset, issuer: form.issuer && form.issuer !== PRESETS.google.example ? form.issuer : begun.issuer, scopes: begun.scopes, emailClaim: begun.emailClaim, groupsClaim: begun.groupsClaim, trustEmail: begun.trustEmail }
}

export function formOf(c: Connection): ConnectionForm {
  return {
    name: c.name, preset: c.preset, issuer: c.issuer, clientId: c.clientId, clientSecret: '', scopes: [...c.scopes], emailClaim: c.emailClaim, nameClaim: c.nameClaim, groupsClaim: c.groupsClaim,
    trustEmail: c.trustEmail, enabled: c.enabled, domains: [...c.domains], provision: c.provision, roles: [...c.roles], groupRoles: c.groupRoles.map((g) => ({ ...g })),
  }
}

/** What is sent: a secret that was not typed in stays as it is, and rows of groups without a name are left out. */
export function bodyOf(form: ConnectionForm): TenantSchemas['SsoConnectionInput'] {
  const { clientSecret, ...rest } = form
  return {
    ...rest,
    kind: 'oidc',
    name: form.name.trim(),
    issuer: form.issuer.trim(),
    clientId: form.clientId.trim(),
    groupRoles: form.groupRoles.filter((g) => g.group.trim() && g.role).map((g) => ({ group: g.group.trim(), role: g.role })),
    ...(clientSecret ? { clientSecret } : {}),
  }
}
