/** Who is signed in. The session itself is a cookie that scripts cannot read. */
import { reactive, readonly } from 'vue'
import { bff, setCsrf } from './http'

export interface Session {
  signedIn: boolean
  user?: { id: string; name: string; email: string }
  organization?: { id: string; slug: string; name: string }
  permissions?: string[]
  csrf?: string
  setupRequired?: boolean
  /** A second factor has to be set up before anything else. */
  factorRequired?: boolean
  version?: string
  /** Addresses of the other apps, by name. */
  apps?: Record<string, string>
}

const state = reactive<{ value: Session; loaded: boolean }>({ value: { signedIn: false }, loaded: false })

export const session = readonly(state)

export async function loadSession(): Promise<Session> {
  const value = await bff<Session>('GET', '/session')
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
export interface Challenge {
  challenge: string
  methods: ('totp' | 'passkey' | 'recovery')[]
  expiresAt: string
}

/** Begins a session, or returns the second step that is needed first. */
async function begin(path: string, body: Record<string, unknown>): Promise<Challenge | null> {
  if (!state.loaded) await loadSession()
  const answer = await bff<Partial<Challenge>>('POST', path, body)
  if (answer?.challenge) return answer as Challenge
  await loadSession()
  return null
}

export function signIn(email: string, password: string): Promise<Challenge | null> {
  return begin('/sign-in', { email, password, origin: location.origin })
}

/** Proves a second factor. */
export function finishSignIn(proof: { challenge: string; totp?: string; recoveryCode?: string; passkey?: unknown }): Promise<Challenge | null> {
  return begin('/sign-in/second-step', proof)
}

/** Signs in with what a passkey signed. */
export function signInPasskey(challenge: string, passkey: unknown): Promise<Challenge | null> {
  return begin('/sign-in/passkey', { challenge, passkey })
}

/** Sets a new password by a link, and signs in. */
export function usePasswordLink(token: string, password: string): Promise<Challenge | null> {
  return begin('/password-links/use', { token, password, origin: location.origin })
}

export async function signInOnce(code: string): Promise<Session> {
  if (!state.loaded) await loadSession()
  await bff('POST', '/sign-in/one-time', { code })
  return loadSession()
}

export async function acceptInvitation(token: string, name: string, password: string): Promise<Session> {
  if (!state.loaded) await loadSession()
  await bff('POST', '/invitations/accept', { token, name, password })
  return loadSession()
}

export async function signOut(): Promise<void> {
  await bff('POST', '/sign-out')
  endSession()
}

/** Whether a permission is held, "plan:create" for one; "*" and "plan:*" cover it. */
export function may(permission: string): boolean {
  const [kind, verb] = permission.split(':')
  return (state.value.permissions ?? []).some((p) => p === '*' || p === permission || p === `${kind}:*` || p === `*:${verb}`)
}
