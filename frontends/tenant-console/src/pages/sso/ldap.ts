/** How a directory is asked, as the form of a connection has it. */
import type { TenantSchemas } from '@gatehouse/api'

type Preset = TenantSchemas['SsoPreset']
export type Ldap = TenantSchemas['SsoLdap']

export interface LdapForm {
  urls: string[]
  startTls: boolean
  ca: string
  bindDn: string
  bindPassword: string
  userBase: string
  userFilter: string
  emailAttribute: string
  nameAttribute: string
  subjectAttribute: string
  groupBase: string
  groupFilter: string
  groupNameAttribute: string
  nestedGroups: boolean
}

/** What stands in the examples of the form. */
export const LDAP_EXAMPLES = {
  'active-directory': { url: 'ldaps://dc1.corp.example.com', bindDn: 'gatehouse@corp.example.com', userBase: 'DC=corp,DC=example,DC=com', groupBase: 'DC=corp,DC=example,DC=com' },
  openldap: { url: 'ldaps://ldap.example.com', bindDn: 'cn=gatehouse,ou=services,dc=example,dc=com', userBase: 'ou=people,dc=example,dc=com', groupBase: 'ou=groups,dc=example,dc=com' },
}
export const exampleOf = (preset: Preset) => LDAP_EXAMPLES[preset === 'active-directory' ? preset : 'openldap']

const CHOSEN = ['userFilter', 'emailAttribute', 'nameAttribute', 'subjectAttribute', 'groupFilter', 'groupNameAttribute'] as const
type Chosen = Record<(typeof CHOSEN)[number], string>

/** What the service takes for what is left empty. */
export function ldapDefaults(preset: Preset, nestedGroups: boolean): Chosen {
  if (preset === 'active-directory')
    return {
      userFilter: '(&(objectCategory=person)(objectClass=user)(|(mail={email})(userPrincipalName={email})))',
      emailAttribute: 'mail',
      nameAttribute: 'displayName',
      subjectAttribute: 'objectGUID',
      groupFilter: nestedGroups ? '(&(objectClass=group)(member:1.2.840.113556.1.4.1941:={dn}))' : '(&(objectClass=group)(member={dn}))',
      groupNameAttribute: 'cn',
    }
  return {
    userFilter: '(&(objectClass=person)(mail={email}))',
    emailAttribute: 'mail',
    nameAttribute: 'cn',
    subjectAttribute: 'entryUUID',
    groupFilter: '(&(objectClass=groupOfNames)(member={dn}))',
    groupNameAttribute: 'cn',
  }
}

export function emptyLdap(): LdapForm {
  return {
    urls: [], startTls: true, ca: '', bindDn: '', bindPassword: '', userBase: '', userFilter: '', emailAttribute: '', nameAttribute: '', subjectAttribute: '', groupBase: '', groupFilter: '', groupNameAttribute: '', nestedGroups: false,
  }
}

/** Defaults stay empty, so that they go on being those of the preset. */
export function ldapFormOf(l: Ldap | undefined, preset: Preset): LdapForm {
  const form = { ...emptyLdap(), ...l, urls: [...(l?.urls ?? [])], bindPassword: '' }
  const defaults = ldapDefaults(preset, form.nestedGroups)
  for (const name of CHOSEN) if (form[name] === defaults[name]) form[name] = ''
  return form
}

/** What is sent: a password that was not typed in stays as it is. */
export function ldapBodyOf(form: LdapForm): Ldap {
  const { bindPassword, ...rest } = form
  const texts = Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, typeof v === 'string' ? v.trim() : v])) as typeof rest
  return { ...texts, urls: form.urls.map((u) => u.trim()).filter(Boolean), ...(bindPassword ? { bindPassword } : {}) }
}

/** Whether there is a server that was not there before: it does not get the password that is kept. */
export const hasNewServer = (form: LdapForm, saved: Ldap | undefined) => form.urls.some((u) => !saved?.urls.includes(u.trim()))

/** Whether StartTLS says anything: servers of ldaps:// are encrypted anyway. */
export const asksStartTls = (form: LdapForm) => form.urls.length === 0 || form.urls.some((u) => u.trim().toLowerCase().startsWith('ldap://'))
