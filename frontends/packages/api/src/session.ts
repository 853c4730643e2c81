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
  setCsrf('')
}

export async function signIn(email: string, password: string): Promise<Session> {
  if (!state.loaded) await loadSession()
  await bff('POST', '/sign-in', { email, password })
  return loadSession()
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
