/**
 * What an upstream knows gateways by, as its form takes it. A secret that is saved
 * is answered as asterisks, a private key not at all; sent back like that it stays,
 * where it would go to the same place as before.
 */
import type { GatewaySchemas } from '@gatehouse/api'

export type Upstream = GatewaySchemas['Upstream']
export type Auth = NonNullable<Upstream['auth']>

export const KINDS = ['none', 'basic', 'bearer', 'header'] as const
export type Kind = (typeof KINDS)[number]

/** What stands for a secret that is saved. */
export const MASK = '***'

export function kindOf(auth: Auth | undefined): Kind {
  if (auth?.basic) return 'basic'
  if (auth?.header) return 'header'
  return auth?.bearer === undefined ? 'none' : 'bearer'
}

/** The credential of a kind: the saved one where it is of that kind, otherwise one to be filled in. */
export function authOf(kind: Kind, saved: Auth | undefined): Auth | undefined {
  if (kind === 'none') return undefined
  if (saved && kindOf(saved) === kind) return JSON.parse(JSON.stringify(saved)) as Auth
  if (kind === 'basic') return { basic: { username: '', password: '' } }
  return kind === 'header' ? { header: { name: '', value: '' } } : { bearer: '' }
}

/** The secret of a credential, and the pointer to it. */
export function secretOf(auth: Auth | undefined): { text: string; at: string } {
  if (auth?.basic) return { text: auth.basic.password, at: '/auth/basic/password' }
  if (auth?.header) return { text: auth.header.value, at: '/auth/header/value' }
  return { text: auth?.bearer ?? '', at: '/auth/bearer' }
}

export function setSecret(auth: Auth, text: string) {
  if (auth.basic) auth.basic.password = text
  else if (auth.header) auth.header.value = text
  else auth.bearer = text
}

/** Scheme, host and port of an address. */
function origin(url: string): string {
  const found = /^([a-z]+:\/\/[^/?#]*)/i.exec(url)
  return (found?.[1] ?? url).toLowerCase()
}

/** Whether the saved secret still goes where it was given for; the service decides by the same rule. */
export function staysFor(now: Upstream, saved: Upstream | undefined): boolean {
  const [a, b] = [now.auth, saved?.auth]
  if (!saved || !a || !b || kindOf(a) !== kindOf(b)) return false
  if (a.basic && a.basic.username !== b.basic?.username) return false
  if (a.header && a.header.name.toLowerCase() !== b.header?.name.toLowerCase()) return false
  const before = saved.targets.map((t) => origin(t.url))
  if (!now.targets.every((t) => before.includes(origin(t.url)))) return false
  const [tls, was] = [now.tls, saved.tls]
  return !tls || Boolean(was && (tls.ca ?? '') === (was.ca ?? '') && (tls.serverName ?? '') === (was.serverName ?? '') && (!tls.insecureSkipVerify || was.insecureSkipVerify))
}

/** Whether some target is reached without TLS, so that a credential can be read on its way. */
export const unencrypted = (u: Upstream) => u.targets.some((t) => /^http:/i.test(t.url.trim()))
