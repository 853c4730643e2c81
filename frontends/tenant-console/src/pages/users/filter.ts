/** The filters of the list of users: as they stand in the query bar, and as they are asked for. */
import type { CursorRequest } from '@gatehouse/ui'
import type { User } from '../../data'

export const FILTERS = ['status', 'source', 'mfa', 'seen', 'role', 'group'] as const

const DAY = 86_400_000

/** The orders of the list; the server sorts. */
export const ORDERS = ['name', '-name', 'email', '-email', '-lastSignInAt', 'lastSignInAt', '-createdAt', 'createdAt'] as const
export type UserOrder = (typeof ORDERS)[number]

/** The query of a list; what cannot be read narrows nothing. */
export interface UserQuery {
  q?: string
  status?: User['status']
  source?: string
  secondFactor?: boolean
  neverSignedIn?: boolean
  signedInBefore?: string
  role?: string
  group?: string
}

/** What the words and filters of the query bar ask for. `now` is in milliseconds. */
export function userQuery(r: Pick<CursorRequest, 'text' | 'filters'>, now: number): UserQuery {
  const f = r.filters
  const days = /^(\d{1,4})d$/.exec(f.seen ?? '')?.[1]
  return {
    ...(r.text ? { q: r.text } : {}),
    ...(f.status === 'active' || f.status === 'disabled' ? { status: f.status } : {}),
    ...(f.source ? { source: f.source } : {}),
    ...(f.mfa === 'yes' || f.mfa === 'no' ? { secondFactor: f.mfa === 'yes' } : {}),
    ...(f.seen === 'never' ? { neverSignedIn: true } : {}),
    // The same for a day, so that pages of one list are of one list.
    ...(days ? { signedInBefore: new Date(Math.floor((now - Number(days) * DAY) / DAY) * DAY).toISOString() } : {}),
    ...(f.role ? { role: f.role } : {}),
    ...(f.group ? { group: f.group } : {}),
  }
}

/** The same as the query of an address. */
export function searchOf(query: UserQuery & { sort?: UserOrder }): string {
  return new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)])).toString()
}
