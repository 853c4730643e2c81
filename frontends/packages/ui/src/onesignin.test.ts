// @vitest-environment node
import { expect, it } from 'vitest'
import { begin, hasSession, hinted, oneSignIn, signsInFor } from './onesignin'

function memory() {
  const kept = new Map<string, string>()
  return { getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => void kept.set(k, v), removeItem: (k: string) => void kept.delete(k) }
}
const out = { signedIn: false, signIn: { oidc: true } }

it('leads to the one sign-in, and back to the very page', () => {
  expect(oneSignIn(out, '/orders?a=1&b=2#keys', {}, memory())).toBe('/bff/oidc/begin?next=%2Forders%3Fa%3D1%26b%3D2%23keys')
  expect(oneSignIn(out, '/apps', { silent: true }, memory())).toBe('/bff/oidc/begin?next=%2Fapps&prompt=none')
})

it.each([
  ['somebody is signed in', { signedIn: true, signIn: { oidc: true } }],
  ['nothing is set up', { signedIn: false, setupRequired: true, signIn: { oidc: true } }],
  ['there is none here', { signedIn: false }],
  ['it is off', { signedIn: false, signIn: { oidc: false } }],
])('stays here where %s', (_, session) => {
  expect(oneSignIn(session, '/', {}, memory())).toBeNull()
})

it('tries once: who comes back without a session signs in here', () => {
  const kept = memory()
  expect(oneSignIn(out, '/', {}, kept, 1_000_000)).not.toBeNull()
  for (let i = 1; i < 60; i += 7) expect(oneSignIn(out, '/', {}, kept, 1_000_000 + i * 1000)).toBeNull()
  expect(oneSignIn(out, '/', {}, kept, 1_061_000)).not.toBeNull()
  hasSession(kept)
  expect(oneSignIn(out, '/', {}, kept, 1_062_000)).not.toBeNull()
})

it('stays here where nothing can be remembered', () => {
  const none = () => {
    throw new Error('storage is off')
  }
  const kept = { getItem: none, setItem: none, removeItem: none }
  expect(oneSignIn(out, '/', {}, kept)).toBeNull()
  expect(() => hasSession(kept)).not.toThrow()
})

it('says for which console somebody signs in, and nothing that an address makes up', () => {
  expect(signsInFor('/consent?request=r&client=gatehouse-admin')).toBe('admin')
  expect(signsInFor('/consent?client=gatehouse-portal&request=r')).toBe('portal')
  for (const next of [null, '/', '/users?client=gatehouse-admin', '/consent?request=r', '/consent?request=r&client=toString', '/consent?request=r&client=Evil', '//x/consent?client=gatehouse-admin']) expect(signsInFor(next)).toBeNull()
})

it('tells whose address was typed in, and fills in what was told', () => {
  expect(begin('/apps', { silent: true, email: 'ada+x@example.com' })).toBe('/bff/oidc/begin?next=%2Fapps&prompt=none&login_hint=ada%2Bx%40example.com')
  expect(begin('/apps', { email: '' })).toBe('/bff/oidc/begin?next=%2Fapps')
  expect(hinted('/consent?request=r&client=gatehouse-admin&login_hint=ada%2Bx%40example.com')).toBe('ada+x@example.com')
  expect(hinted(`/consent?login_hint=${'x'.repeat(300)}`)).toHaveLength(254)
  for (const next of [null, '/', '/consent', '/consent?request=r', '/users?login_hint=ada%40example.com', 'https://x.example/consent?login_hint=a']) expect(hinted(next)).toBe('')
})
