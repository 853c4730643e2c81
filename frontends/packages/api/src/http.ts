/**
 * How every call goes out: same origin, with the session's CSRF token on writes,
 * and problem documents thrown as ProblemError.
 */
import createClient, { type Client, type Middleware } from 'openapi-fetch'
import type { paths as BffPaths } from './gen/bff'
import { ProblemError, toProblem } from './problem'

const CSRF_HEADER = 'X-Gatehouse-CSRF'

let csrf = ''
let language = ''
let onSignedOut: () => void = () => {}

export function setCsrf(token: string) {
  csrf = token
}

/** The language of the page (BCP 47): mail that a call causes is written in it. */
export function setLanguage(tag: string) {
  language = tag
}

/** Says what happens when the session has ended: once, from the app. */
export function whenSignedOut(run: () => void) {
  onSignedOut = run
}

function isWrite(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD'
}

async function problemFrom(response: Response): Promise<ProblemError> {
  let body: unknown = null
  try {
    body = await response.clone().json()
  } catch {
    body = null
  }
  return new ProblemError(toProblem(body, response.status, response.headers.get('x-request-id') ?? undefined))
}

let recorder: ((request: Request) => void) | null = null

/**
 * Runs something and says which requests it begins. What it begins later, after it
 * has waited for something, is not among them.
 */
export function recording<R>(run: () => R): { result: R; requests: Request[] } {
  const requests: Request[] = []
  const before = recorder
  recorder = (request) => requests.push(request)
  try {
    return { result: run(), requests }
  } finally {
    recorder = before
  }
}

let rehearsal: ((request: Request) => void) | null = null

/**
 * The first request of something, without making it: what it does after that does
 * not happen either, as no answer ever comes. It must make the request at once; what
 * it would make after it has waited for something else is not held back.
 */
export function rehearse(run: () => unknown): Request | null {
  let first: Request | null = null
  rehearsal = (request) => (first ??= request)
  try {
    void Promise.resolve(run()).catch(() => {})
  } catch {
    return null
  } finally {
    rehearsal = null
  }
  return first
}

const middleware: Middleware = {
  onRequest({ request }) {
    if (rehearsal) {
      rehearsal(request)
      return new Promise<Request>(() => {})
    }
    recorder?.(request)
    if (isWrite(request.method)) request.headers.set(CSRF_HEADER, csrf)
    if (language) request.headers.set('Accept-Language', language)
    return request
  },
  async onResponse({ response, request }) {
    if (response.ok || response.status === 304) return undefined
    const error = await problemFrom(response)
    if (response.status === 401 && !request.url.includes('/bff/')) onSignedOut()
    throw error
  },
  onError() {
    return new ProblemError(toProblem(null, 0))
  },
}

/** The client of one service's API, typed by its generated paths. */
export function serviceClient<Paths extends object>(service: string): Client<Paths> {
  return client<Paths>(`/api/${service}/v1`)
}

function client<Paths extends object>(baseUrl: string): Client<Paths> {
  const client = createClient<Paths>({
    baseUrl,
    credentials: 'same-origin',
    headers: { Accept: 'application/json, application/problem+json' },
    querySerializer: { array: { style: 'form', explode: false } },
  })
  client.use(middleware)
  return client
}

/** The client of the bff's own endpoints, which are not below /api. */
export const bff = client<BffPaths>('/bff')

/** The answer's document; calls throw on problems, so that it is always there. */
export async function data<T>(call: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data: value } = await call
  return value as T
}

/** The If-Match header for a stored thing, by its version. */
export function ifMatch(thing: { version: number }): { 'If-Match': string } {
  return { 'If-Match': `"v${thing.version}"` }
}

/** One per form that creates: a second press is the same request. */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')
}

/** The merge patch (RFC 7396) that makes one document of another; what is gone is null. */
export function mergePatch(before: Record<string, unknown>, after: Record<string, unknown>): Record<string, unknown> {
  const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)
  const patch: Record<string, unknown> = {}
  for (const key of Object.keys(before)) if (after[key] === undefined) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    const was = before[key]
    if (value === undefined || JSON.stringify(value) === JSON.stringify(was)) continue
    patch[key] = isObject(value) && isObject(was) ? mergePatch(was, value) : value
  }
  return patch
}
