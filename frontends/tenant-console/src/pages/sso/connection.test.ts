import { expect, it } from 'vitest'
import { bodyOf, empty, ending, formOf, presetText, switched, type Connection, previewBodyOf } from './connection'
import { asksStartTls, hasNewServer, ldapFormOf } from './ldap'
import { samlBodyOf, samlFormOf } from './saml'

it('begins with the defaults of the provider, and keeps what was typed in', () => {
  const form = { ...empty('oidc', 'google'), name: 'Acme', clientId: 'c' }
  expect(form.issuer).toBe('https://accounts.google.com')
  const entra = switched(form, 'oidc', 'entra')
  expect(entra).toMatchObject({ preset: 'entra', issuer: '', name: 'Acme', clientId: 'c', trustEmail: true })
  expect(switched({ ...entra, issuer: 'https://login.example.com' }, 'oidc', 'keycloak')).toMatchObject({ issuer: 'https://login.example.com', groupsClaim: 'realm_access.roles', trustEmail: false })
})

it('sends a secret only where one was typed in, and no empty rows', () => {
  const form = { ...empty('oidc', 'generic'), name: ' Acme ', groupRoles: [{ group: ' apis ', role: 'viewer' }, { group: '', role: 'viewer' }, { group: 'x', role: '' }] }
  expect(bodyOf(form)).not.toHaveProperty('clientSecret')
  expect(bodyOf(form)).toMatchObject({ kind: 'oidc', name: 'Acme', groupRoles: [{ group: 'apis', role: 'viewer' }] })
  expect(bodyOf({ ...form, clientSecret: 's' })).toMatchObject({ clientSecret: 's' })
})

const ldap = { urls: ['ldaps://a.example'], userBase: 'dc=example', startTls: true, nestedGroups: true, groupFilter: '(&(objectClass=group)(member:1.2.840.113556.1.4.1941:={dn}))', subjectAttribute: 'objectGUID', emailAttribute: 'upn' }

it('sends of a directory what belongs to one, and the password only where it was typed in', () => {
  const form = { ...empty('ldap'), name: 'Corp' }
  expect(form).toMatchObject({ preset: 'active-directory', trustEmail: true })
  form.ldap = { ...form.ldap, urls: [' ldaps://a.example ', ''], userBase: ' dc=example ' }
  const body = bodyOf(form)
  for (const name of ['issuer', 'clientId', 'scopes', 'emailClaim']) expect(body).not.toHaveProperty(name)
  expect(body.ldap).toMatchObject({ urls: ['ldaps://a.example'], userBase: 'dc=example' })
  expect(body.ldap).not.toHaveProperty('bindPassword')
  form.ldap.bindPassword = 's'
  expect(bodyOf(form).ldap).toMatchObject({ bindPassword: 's' })
  expect(bodyOf(empty('oidc'))).not.toHaveProperty('ldap')
  expect(presetText('ldap', 'generic')).not.toBe(presetText('oidc', 'generic'))
})

it('leaves defaults of a directory empty, so that they stay those of the preset', () => {
  const form = ldapFormOf(ldap, 'active-directory')
  expect(form).toMatchObject({ groupFilter: '', subjectAttribute: '', emailAttribute: 'upn', nestedGroups: true, bindPassword: '' })
  expect(hasNewServer(form, ldap)).toBe(false)
  expect(hasNewServer({ ...form, urls: ['ldaps://b.example'] }, ldap)).toBe(true)
  expect(asksStartTls(form)).toBe(false)
  expect(asksStartTls({ ...form, urls: ['ldap://b.example'] })).toBe(true)
  const c = { kind: 'ldap', preset: 'active-directory', scopes: [], domains: [], roles: [], groupRoles: [], ldap } as unknown as Connection
  expect(formOf(c).ldap).toEqual(form)
})

it('sends of each kind what belongs to it', () => {
  const saml = switched({ ...empty('oidc', 'entra'), name: 'Acme', issuer: 'https://login.example.com', clientSecret: 's' }, 'saml')
  expect(saml).toMatchObject({ kind: 'saml', preset: 'entra', emailClaim: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress', trustEmail: true })
  const body = bodyOf({ ...saml, saml: { ...saml.saml, metadataUrl: ' https://idp.example/metadata ', entityId: 'left over' } })
  expect(body).toMatchObject({ kind: 'saml', saml: { metadataUrl: 'https://idp.example/metadata', nameIdFormat: 'persistent' } })
  for (const field of ['issuer', 'clientId', 'clientSecret', 'scopes', 'oauth2']) expect(body).not.toHaveProperty(field)
  expect(body.saml).not.toHaveProperty('entityId')
  expect(bodyOf(empty('oidc', 'generic'))).not.toHaveProperty('saml')
  expect(switched(saml, 'saml', 'okta').saml.nameIdFormat).toBe('unspecified')
})

it('takes what a provider said of itself into the form, and sends it back by hand', () => {
  const known = { entityId: 'e', ssoUrl: 'https://idp.example/sso', certificates: [{ pem: 'A', fingerprint: '1' }, { pem: 'B', fingerprint: '2' }], nameIdFormat: 'persistent' as const, spEntityId: 'urn:x' }
  expect(samlBodyOf(samlFormOf(known))).toMatchObject({ entityId: 'e', certificates: ['AB'] })
  expect(samlFormOf({ ...known, metadataUrl: 'https://idp.example/m' }).source).toBe('url')
  expect(samlBodyOf({ ...samlFormOf(known), source: 'xml', metadata: '<x/>' })).toEqual({ nameIdFormat: 'persistent', subjectAttribute: '', metadata: '<x/>' })
})

it('knows where GitHub is, and GitHub Enterprise', () => {
  const form = { ...switched(empty('oidc', 'entra'), 'oauth2'), name: 'GitHub', clientId: 'c' }
  expect(bodyOf(form)).toMatchObject({ kind: 'oauth2', preset: 'github', oauth2: { userUrl: 'https://api.github.com/user', emailsUrl: 'https://api.github.com/user/emails', subject: 'id', pkce: true } })
  const own = bodyOf({ ...form, oauth2: { ...form.oauth2, base: 'https://git.acme.example/' } })
  expect(own.oauth2).toMatchObject({ authorizeUrl: 'https://git.acme.example/login/oauth/authorize', userUrl: 'https://git.acme.example/api/v3/user' })
  expect(own.oauth2).not.toHaveProperty('base')
  const c = { ...own, id: '1', issuer: '', clientId: 'c', hasSecret: true, version: 1, createdAt: '', domains: [], roles: [], groupRoles: [], scopes: [] } as unknown as Connection
  expect(formOf(c).oauth2.base).toBe('https://git.acme.example')
})

it('warns of what ends soon', () => {
  const now = Date.parse('2030-01-01T00:00:00Z')
  const at = (days: number) => new Date(now + days * 86_400_000).toISOString()
  const ends = [
    { what: 'provider-certificate' as const, at: at(31) },
    { what: 'own-certificate' as const, at: at(29) },
    { what: 'authority' as const, at: at(-1) },
  ]
  expect(ending({ ends }, now).map((e) => [e.what, e.tone])).toEqual([['own-certificate', 'warn'], ['authority', 'bad']])
  expect(ending({}, now)).toEqual([])
})

it('asks for a preview of the rows that are complete', () => {
  const form = { ...empty('oidc'), groupRoles: [{ group: ' apis ', role: 'publisher' }, { group: 'x', role: '' }, { group: '', role: 'viewer' }], roles: ['viewer'], groupsClaim: 'teams' }
  expect(previewBodyOf(form, '', ['a'])).toEqual({ groupRoles: [{ group: 'apis', role: 'publisher' }], groupsClaim: 'teams', groups: ['a'] })
  expect(previewBodyOf({ ...form, provision: true }, 'c', [])).toEqual({ connection: 'c', groupRoles: [{ group: 'apis', role: 'publisher' }], groupsClaim: 'teams', roles: ['viewer'] })
})

it('signs out at OpenID Connect providers alone', () => {
  expect(bodyOf({ ...empty('oidc'), signOutAtProvider: true }).signOutAtProvider).toBe(true)
  expect(bodyOf(empty('oidc')).signOutAtProvider).toBe(false)
  for (const kind of ['saml', 'ldap', 'oauth2'] as const) expect(bodyOf({ ...empty(kind), signOutAtProvider: true })).not.toHaveProperty('signOutAtProvider')
})
