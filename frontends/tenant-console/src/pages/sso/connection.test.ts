import { expect, it } from 'vitest'
import { bodyOf, empty, formOf, switched, switchedKind, type Connection } from './connection'
import { samlBodyOf, samlFormOf } from './saml'

it('begins with the defaults of the provider, and keeps what was typed in', () => {
  const form = { ...empty('google'), name: 'Acme', clientId: 'c' }
  expect(form.issuer).toBe('https://accounts.google.com')
  const entra = switched(form, 'entra')
  expect(entra).toMatchObject({ preset: 'entra', issuer: '', name: 'Acme', clientId: 'c', trustEmail: true })
  expect(switched({ ...entra, issuer: 'https://login.example.com' }, 'keycloak')).toMatchObject({ issuer: 'https://login.example.com', groupsClaim: 'realm_access.roles', trustEmail: false })
})

it('sends a secret only where one was typed in, and no empty rows', () => {
  const form = { ...empty('generic'), name: ' Acme ', groupRoles: [{ group: ' apis ', role: 'viewer' }, { group: '', role: 'viewer' }, { group: 'x', role: '' }] }
  expect(bodyOf(form)).not.toHaveProperty('clientSecret')
  expect(bodyOf(form)).toMatchObject({ kind: 'oidc', name: 'Acme', groupRoles: [{ group: 'apis', role: 'viewer' }] })
  expect(bodyOf({ ...form, clientSecret: 's' })).toMatchObject({ clientSecret: 's' })
})

it('sends of each kind what belongs to it', () => {
  const saml = switchedKind({ ...empty('entra'), name: 'Acme', issuer: 'https://login.example.com', clientSecret: 's' }, 'saml')
  expect(saml).toMatchObject({ kind: 'saml', preset: 'entra', emailClaim: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress', trustEmail: true })
  const body = bodyOf({ ...saml, saml: { ...saml.saml, metadataUrl: ' https://idp.example/metadata ', entityId: 'left over' } })
  expect(body).toMatchObject({ kind: 'saml', saml: { metadataUrl: 'https://idp.example/metadata', nameIdFormat: 'persistent' } })
  for (const field of ['issuer', 'clientId', 'clientSecret', 'scopes', 'oauth2']) expect(body).not.toHaveProperty(field)
  expect(body.saml).not.toHaveProperty('entityId')
  expect(bodyOf(empty('generic'))).not.toHaveProperty('saml')
  expect(switched(saml, 'okta').saml.nameIdFormat).toBe('unspecified')
})

it('takes what a provider said of itself into the form, and sends it back by hand', () => {
  const known = { entityId: 'e', ssoUrl: 'https://idp.example/sso', certificates: [{ pem: 'A', fingerprint: '1' }, { pem: 'B', fingerprint: '2' }], nameIdFormat: 'persistent' as const, spEntityId: 'urn:x' }
  expect(samlBodyOf(samlFormOf(known))).toMatchObject({ entityId: 'e', certificates: ['AB'] })
  expect(samlFormOf({ ...known, metadataUrl: 'https://idp.example/m' }).source).toBe('url')
  expect(samlBodyOf({ ...samlFormOf(known), source: 'xml', metadata: '<x/>' })).toEqual({ nameIdFormat: 'persistent', subjectAttribute: '', metadata: '<x/>' })
})

it('knows where GitHub is, and GitHub Enterprise', () => {
  const form = { ...switchedKind(empty('entra'), 'oauth2'), name: 'GitHub', clientId: 'c' }
  expect(bodyOf(form)).toMatchObject({ kind: 'oauth2', preset: 'github', oauth2: { userUrl: 'https://api.github.com/user', emailsUrl: 'https://api.github.com/user/emails', subject: 'id', pkce: true } })
  const own = bodyOf({ ...form, oauth2: { ...form.oauth2, base: 'https://git.acme.example/' } })
  expect(own.oauth2).toMatchObject({ authorizeUrl: 'https://git.acme.example/login/oauth/authorize', userUrl: 'https://git.acme.example/api/v3/user' })
  expect(own.oauth2).not.toHaveProperty('base')
  const c = { ...own, id: '1', issuer: '', clientId: 'c', hasSecret: true, version: 1, createdAt: '', domains: [], roles: [], groupRoles: [], scopes: [] } as unknown as Connection
  expect(formOf(c).oauth2.base).toBe('https://git.acme.example')
})
