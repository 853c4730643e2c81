/** Who is signed in. The session itself is a cookie that scripts cannot read. */
import { reactive, readonly } from 'vue'
import type { components } from './gen/bff'
import { bff, data, setCsrf } from './http'

export type Session = Partial<components['schemas']['Session']> & { signedIn: boolean }

const state = reactive<{ value: Session; loaded: boolean }>({ value: { signedIn: false }, loaded: false })

export const session = readonly(state)

export async function loadSession(): Promise<Session> {
  const value = await data(bff.GET('/session'))
  state.value = value
  state.loaded = true
  setCsrf(value.csrf ?? '')
  return value
}

/** Forgets who was signed in, after the server said that the session ended. */
export function endSession() {
  state.value = { signedIn: false }
  state.loaded = false // what comes next asks anew, and gets its CSRF token with it
  setCsrf('')
}

/** A sign-in that was begun and needs a second step. */
export type Challenge = components['schemas']['SecondStep']
type Proof = components['schemas']['SecondStepInput']
type Credential = components['schemas']['PasskeyCredential']

/** Begins a session, or returns the second step that is needed first. */
async function begin(call: () => Promise<{ data?: components['schemas']['Session'] | Challenge; response: Response }>): Promise<Challenge | null> {
  if (!state.loaded) await loadSession()
  const answer = await data(call())
  if ('challenge' in answer) return answer
  await loadSession()
  return null
}

/** Signs in with a password; the organization is for who belongs to several. */
export function signIn(email: string, password: string, organization = ''): Promise<Challenge | null> {
  return begin(() => bff.POST('/sign-in', { body: { email, password, origin: location.origin, ...(organization ? { organization } : {}) } }))
}

/** Proves a second factor. */
export function finishSignIn(proof: Proof): Promise<Challenge | null> {
  return begin(() => bff.POST('/sign-in/second-step', { body: proof }))
}

/** Signs in with what a passkey signed. */
export function signInPasskey(challenge: string, passkey: Credential): Promise<Challenge | null> {
  return begin(() => bff.POST('/sign-in/passkey', { body: { challenge, passkey } }))
}

/** Sends the browser to an identity provider, from which it comes back to a path of this app. */
export async function signInElsewhere(where: { email?: string; connection?: string }, next: string): Promise<void> {
  if (!state.loaded) await loadSession()
  const { address } = await data(bff.POST('/sign-in/sso', { body: { ...where, next } }))
  location.assign(address)
}

/** Begins a test sign-in, and returns where a tab is sent to for it. */
export async function testElsewhere(connection: string): Promise<string> {
  return (await data(bff.POST('/sso/test', { body: { connection } }))).address
}

/** Begins to prove again who one is at an identity provider, and returns where it is; the browser comes back to this page. */
export async function confirmElsewhere(connection: string): Promise<string> {
  return (await data(bff.POST('/sso/confirmation', { body: { connection, next: location.pathname + location.search } }))).address
}

/** What came of proving again who one is at an identity provider, which the address of the page says once. */
export function confirmedElsewhere(): 'confirmed' | 'refused' | null {
  const query = new URLSearchParams(location.search)
  const said = query.get('identity')
  if (said !== 'confirmed' && said !== 'refused') return null
  query.delete('identity')
  history.replaceState(history.state, '', location.pathname + (query.size ? `?${query}` : '') + location.hash)
  return said
}

/** The second step that a sign-in elsewhere left in the address of the page; it is there once. */
export function secondStepLeft(): Challenge | null {
  const left = /^#second=([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1]
  if (!left) return null
  history.replaceState(history.state, '', location.pathname + location.search)
  try {
    const challenge: unknown = JSON.parse(atob(left.replaceAll('-', '+').replaceAll('_', '/')))
    return challenge && typeof challenge === 'object' && 'challenge' in challenge && 'methods' in challenge && Array.isArray(challenge.methods) ? (challenge as Challenge) : null
  } catch {
    return null
  }
}

/** Sets a new password by a link, and signs in. */
export function usePasswordLink(token: string, password: string): Promise<Challenge | null> {
  return begin(() => bff.POST('/password-links/use', { body: { token, password, origin: location.origin } }))
}

export async function signInOnce(code: string): Promise<Session> {
  if (!state.loaded) await loadSession()
  await bff.POST('/sign-in/one-time', { body: { code } })
  return loadSession()
}

export async function acceptInvitation(token: string, name: string, password: string): Promise<Session> {
  if (!state.loaded) await loadSession()
  await bff.POST('/invitations/accept', { body: { token, name, password } })
  return loadSession()
}

/** Accepts an invitation of somebody who is let in by an identity provider alone, and sends the browser there. */
export async function acceptElsewhere(token: string, name: string, connection: { id: string; kind: string }): Promise<void> {
  if (!state.loaded) await loadSession()
  await bff.POST('/invitations/accept', { body: { token, name } })
  if (connection.kind === 'ldap') location.assign('/sign-in')
  else await signInElsewhere({ connection: connection.id }, '/')
}

/** Goes on in another of one's own organizations, or returns the second step that it asks for. The page is to be loaded anew. */
export function switchOrganization(organization: string): Promise<Challenge | null> {
  return begin(() => bff.POST('/organization', { body: { organization, origin: location.origin } }))
}

/** Where a second step that was begun is finished: the sign-in page, which takes it from its address. */
export function secondStepAddress(challenge: Challenge, signIn = '/sign-in'): string {
  return `${signIn}#second=${btoa(JSON.stringify(challenge)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
}

/** Acts as somebody else from now on, in this browser and app. The page is to be loaded anew. */
export async function impersonate(user: string, reason: string): Promise<void> {
  await bff.POST('/impersonation', { body: { user, reason } })
}

/** Acts as somebody else in another app, and returns where that is. */
export async function impersonateElsewhere(user: string, reason: string, app: string): Promise<string> {
  return (await data(bff.POST('/impersonation/elsewhere', { body: { user, reason, app } }))).address
}

/** Takes up here what was begun in another app, if the address of the page says so; it does once. */
export async function takeImpersonation(): Promise<void> {
  const ticket = /^#act=([A-Za-z0-9_-]{43})$/.exec(location.hash)?.[1]
  if (!ticket) return
  history.replaceState(history.state, '', location.pathname + location.search)
  await loadSession()
  await bff.POST('/impersonation/taking', { body: { ticket } })
  await loadSession()
}

/** Is oneself again. The page is to be loaded anew. */
export async function stopImpersonating(): Promise<void> {
  await bff.DELETE('/impersonation')
}

/** Ends the session. True where the browser is on its way to the identity provider, to be signed out there too; from there it comes to the path, or to the sign-in page. */
export async function signOut(next = ''): Promise<boolean> {
  const { data: on } = await bff.POST('/sign-out', next ? { body: { next } } : {})
  endSession()
  if (!on) return false
  location.assign(on.address)
  return true
}

/** Whether a permission is held, "plan:create" for one; "*" and "plan:*" cover it. */
export function may(permission: string): boolean {
  const [kind, verb] = permission.split(':')
  return (state.value.permissions ?? []).some((p) => p === '*' || p === permission || p === `${kind}:*` || p === `*:${verb}`)
}
