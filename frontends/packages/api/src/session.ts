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
  setCsrf('')
}

export async function signIn(email: string, password: string): Promise<Session> {
  if (!state.loaded) await loadSession()
  await bff.POST('/sign-in', { body: { email, password } })
  return loadSession()
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

export async function signOut(): Promise<void> {
  await bff.POST('/sign-out')
  endSession()
}

/** Whether a permission is held, "plan:create" for one; "*" and "plan:*" cover it. */
export function may(permission: string): boolean {
  const [kind, verb] = permission.split(':')
  return (state.value.permissions ?? []).some((p) => p === '*' || p === permission || p === `${kind}:*` || p === `*:${verb}`)
}
