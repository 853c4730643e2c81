/** The one sign-in for all consoles: where a page goes that needs a session, and for what the auth console signs somebody in. */

const KEY = 'gatehouse.one-sign-in'
/** How long a try counts that came back without a session, in milliseconds: until then there is the page of this host. */
const WITHIN = 60_000

/** What of a session counts. */
interface Known {
  readonly signedIn: boolean
  readonly setupRequired?: boolean | undefined
  readonly signIn?: { readonly oidc: boolean } | undefined
}

/** What is kept for a tab. */
type Kept = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** How one is sent there. */
export interface Way {
  /** Asks whether somebody is signed in already, and shows nothing where nobody is. */
  readonly silent?: boolean | undefined
  /** The address of who is thought to sign in, which is filled in there: nothing is said of whether anybody has it. */
  readonly email?: string | undefined
}

export const begin = (next: string, { silent, email }: Way = {}): string => `/bff/oidc/begin?${new URLSearchParams({ next, ...(silent ? { prompt: 'none' } : {}), ...(email ? { login_hint: email } : {}) })}`

/**
 * Where the browser is sent for a session, so that it comes back to a path; null = to the sign-in page of this host.
 */
export function oneSignIn(session: Known, next: string, way: Way = {}, kept: Kept = sessionStorage, now = Date.now()): string | null {
  if (session.signedIn || session.setupRequired || !session.signIn?.oidc) return null
  try {
    const tried = Number(kept.getItem(KEY) ?? NaN)
    if (now - tried < WITHIN) return null
    kept.setItem(KEY, String(now))
  } catch {
    return null // without a memory it could go on for ever
  }
  return begin(next, way)
}

/** Says that there is a session: the next try is a first one again. */
export function hasSession(kept: Kept = sessionStorage) {
  try {
    kept.removeItem(KEY)
  } catch {
    // Then nothing was kept.
  }
}

/** The address that the authorization server was told to fill in, of a path that the sign-in page goes on to. */
export function hinted(next: string | null): string {
  const [path, search = ''] = (next ?? '').split('?')
  return path === '/consent' ? (new URLSearchParams(search).get('login_hint') ?? '').slice(0, 254) : ''
}

const CLIENTS = { 'gatehouse-admin': 'admin', 'gatehouse-tenant': 'tenant', 'gatehouse-portal': 'portal' } as const

/** The app that somebody signs in for at the auth console, of a path that the sign-in page goes on to. */
export function signsInFor(next: string | null): 'admin' | 'tenant' | 'portal' | null {
  const [path, search = ''] = (next ?? '').split('?')
  if (path !== '/consent') return null
  return clientOf(new URLSearchParams(search).get('client'))
}

/** The app that is a client of the authorization server. */
export function clientOf(client: string | null | undefined): 'admin' | 'tenant' | 'portal' | null {
  return client && Object.hasOwn(CLIENTS, client) ? CLIENTS[client as keyof typeof CLIENTS] : null
}
