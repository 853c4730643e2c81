import { expect, it } from 'vitest'
import { bodyOf, empty, switched } from './connection'

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
