/**
 * What the same thing is on a command line: as calls with curl, as commands of
 * gatehouse, and as a manifest. A secret is never in it, and a token is named.
 */
import { entities } from '@gatehouse/api'
import { isReference } from './references'

/** A call of the API: where, and what is sent. */
export interface Call {
  method: string
  /** Below the service, which it begins with: /tenant-manager/users/0192. */
  path: string
  /** The version that it is to happen to (If-Match). */
  match?: string | undefined
  body?: unknown
}

export type Stored = object

/** A word as a POSIX shell reads it. */
export function shellWord(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The path of a call as `gatehouse request` takes it: /SERVICE/…, without the page. */
export function requestPath(address: string): string {
  const url = new URL(address, 'http://localhost')
  for (const page of ['limit', 'cursor']) url.searchParams.delete(page)
  return url.pathname.replace(/^\/api\/([^/]+)\/v1\//, '/$1/') + url.search
}

/** The command that writes every row of a list as CSV. */
export function requestCommand(address: string): string {
  return `gatehouse request GET ${shellWord(requestPath(address))} --all --csv`
}

/** What can be written at a path. */
export function entityAt(path: string) {
  const parts = path.split('?')[0]!.split('/').slice(1)
  return entities.find((e) => {
    const template = [e.service, ...e.path.split('/').slice(1)]
    return template.length === parts.length && template.every((t, i) => parts[i] !== '' && (t.startsWith('{') || t === parts[i]))
  })
}

/** The fields of something that can be written, as they are; what was never set is left out. */
export function written(path: string, stored: Stored): Record<string, unknown> {
  const { within = '', fields = [] } = entityAt(path) ?? {}
  const values = ((within ? (stored as Record<string, unknown>)[within] : stored) ?? {}) as Record<string, unknown>
  return Object.fromEntries(fields.filter((f) => values[f] !== undefined && values[f] !== null).map((f) => [f, values[f]]))
}

/** The call that writes something as it is: where to begin when it is to be changed. */
export function change(path: string, stored: Stored): Call | null {
  const entity = entityAt(path)
  const body = written(path, stored)
  if (!entity || Object.keys(body).length === 0) return null
  const version = (stored as { version?: number }).version
  return { method: entity.method, path, match: version === undefined ? undefined : `"v${version}"`, body }
}

/** A request that was not made, as a call. */
export async function callOf(request: Request): Promise<Call> {
  const text = request.method === 'GET' ? '' : await request.clone().text()
  return { method: request.method, path: requestPath(request.url), match: request.headers.get('If-Match') ?? undefined, ...(text ? { body: JSON.parse(text) as unknown } : {}) }
}

const SECRET = /(secret|password|passphrase|private_?key|api_?key|token|credentials?)$/i
const isSecret = (name: string, value: unknown) => typeof value === 'string' && value !== '' && SECRET.test(name) && !isReference(value)
/** What stands for a secret until the text is one for a shell. */
const HOLE = '\ue000'

/** The same without secrets, which a shell fills in from $GATEHOUSE_SECRET. References to secrets stay. */
export function masked(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return isSecret(name, value) ? HOLE : value
  if (Array.isArray(value)) return value.map((v) => masked(v, name))
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, masked(v, k)]))
  return value
}

const bodyWord = (body: unknown) => shellWord(JSON.stringify(masked(body), null, 2)).replaceAll(HOLE, `'"$GATEHOUSE_SECRET"'`)

/** A call with curl, with the token that the environment has. */
export function curl(call: Call): string {
  const [, service, ...rest] = call.path.split('/')
  const lines = [
    `curl -fsS${call.method === 'GET' ? '' : ` -X ${call.method}`} "$GATEHOUSE_URL"${shellWord(`/api/${service}/v1/${rest.join('/')}`)}`,
    '-H "Authorization: Bearer $GATEHOUSE_TOKEN"',
  ]
  if (call.body !== undefined) lines.push(`-H 'Content-Type: application/${call.method === 'PATCH' ? 'merge-patch+' : ''}json'`)
  if (call.match) lines.push(`-H ${shellWord(`If-Match: ${call.match}`)}`)
  if (call.body !== undefined) lines.push(`-d ${bodyWord(call.body)}`)
  return lines.join(' \\\n  ')
}

/** A call as a command of gatehouse. */
export function command(call: Call): string {
  const lines = [`gatehouse request ${call.method} ${shellWord(call.path)}`]
  if (call.match) lines.push(`--if-match ${shellWord(call.match)}`)
  if (call.body !== undefined) lines.push(`--data ${bodyWord(call.body)}`)
  return lines.join(' \\\n  ')
}

/** The same without secrets at all, which could not be compared with what is stored. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).filter(([k, v]) => !isSecret(k, v)).map(([k, v]) => [k, withoutSecrets(v)]))
  return value
}

/**
 * What something is, for `gatehouse apply`: YAML, whose values are JSON, which is YAML
 * too. Fields that cannot be written, and secrets, are not in it.
 */
export function manifest(path: string, spec: Record<string, unknown>): string {
  const fields = entityAt(path)?.fields ?? []
  const lines = Object.entries(withoutSecrets(spec) as Record<string, unknown>).filter(([k, v]) => fields.includes(k) && v !== null).map(([k, v]) => `  ${k}: ${JSON.stringify(v)}`)
  return [`kind: ${entityAt(path)?.kind ?? ''}`, `path: ${JSON.stringify(path)}`, lines.length ? 'spec:' : 'spec: {}', ...lines].join('\n')
}
