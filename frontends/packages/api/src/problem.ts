/**
 * Problem documents (RFC 9457) as the services answer them, and what becomes of
 * them on a screen: a sentence, and messages at the fields that they point to.
 */

export interface FieldProblem {
  /** JSON pointer (RFC 6901) into the document that was sent. */
  pointer: string
  code: string
  /** In English. */
  detail: string
  source?: string
  /** The values of the rule, such as the number of a minimum. */
  params?: { limit: number }
}

/** Says what is wrong with a field, in the language of the reader. */
let say = (field: FieldProblem): string => field.detail

/** Sets how fields at fault are told; as the services tell it until then. */
export function setFieldText(how: (field: FieldProblem) => string) {
  say = how
}

/** What is wrong with a field, in the language of the reader. */
export function fieldText(field: FieldProblem): string {
  return say(field)
}

export interface Problem {
  type: string
  title: string
  status: number
  detail?: string
  /** The request id, the same as in the logs. */
  instance?: string
  /** Stable, for programs to compare. */
  code: string
  policy?: string
  errors?: FieldProblem[]
  /** What the field at fault can be, where only the answer can say it. */
  choices?: Choice[]
  /** The permission that the caller lacks, where that is why they were refused. */
  access?: LackedAccess
}

const REASONS = ['missing', 'denied', 'token', 'boundary'] as const

/** A permission that somebody lacks, where, and why. */
export interface LackedAccess {
  permission: string
  project?: string
  api?: string
  environment?: string
  /** No role has it; a role denies it; the token is not made for it; it is outside of a boundary. */
  reason: (typeof REASONS)[number]
  /** The role or the token that the reason is about. */
  by?: string
}

/** A value that a field can have. */
export interface Choice {
  value: string
  label: string
}

/** The error that every call of the API client throws. */
export class ProblemError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.name = 'ProblemError'
    this.problem = problem
  }

  get code(): string {
    return this.problem.code
  }

  get status(): number {
    return this.problem.status
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What can be asked for, where the lack of it is what was refused. */
export function missingAccess(problem: Problem | null | undefined): LackedAccess | null {
  return problem?.access?.reason === 'missing' ? problem.access : null
}

/** Reads a problem out of an answer's body, whatever it is. */
export function toProblem(body: unknown, status: number, requestId?: string): Problem {
  if (isRecord(body) && typeof body.title === 'string') {
    const listed = Array.isArray(body.errors) ? body.errors : body.fields
    const errors = Array.isArray(listed)
      ? listed.filter(isRecord).map((e) => ({
          pointer: typeof e.pointer === 'string' ? e.pointer : '',
          code: typeof e.code === 'string' ? e.code : 'invalid',
          detail: typeof e.detail === 'string' ? e.detail : '',
          ...(typeof e.source === 'string' ? { source: e.source } : {}),
          ...(isRecord(e.params) && typeof e.params.limit === 'number' ? { params: { limit: e.params.limit } } : {}),
        }))
      : undefined
    return {
      type: typeof body.type === 'string' ? body.type : 'about:blank',
      title: body.title,
      status: typeof body.status === 'number' ? body.status : status,
      code: typeof body.code === 'string' ? body.code : `http-${status}`,
      ...(typeof body.detail === 'string' ? { detail: body.detail } : {}),
      ...instanceOf(body, requestId),
      ...(typeof body.policy === 'string' ? { policy: body.policy } : {}),
      ...(errors && errors.length > 0 ? { errors } : {}),
      ...choicesOf(body),
      ...accessOf(body),
    }
  }
  return {
    type: 'about:blank',
    title: status === 0 ? 'No connection' : `Unexpected answer ${status}`,
    status,
    code: status === 0 ? 'no-connection' : `http-${status}`,
    ...(requestId ? { instance: requestId } : {}),
  }
}

function choicesOf(body: Record<string, unknown>): { choices?: Choice[] } {
  if (!Array.isArray(body.choices)) return {}
  return { choices: body.choices.filter(isRecord).flatMap((c) => (typeof c.value === 'string' ? [{ value: c.value, label: typeof c.label === 'string' ? c.label : c.value }] : [])) }
}

function accessOf(body: Record<string, unknown>): { access?: LackedAccess } {
  const a = body.access
  const reason = isRecord(a) ? REASONS.find((r) => r === a.reason) : undefined
  if (!isRecord(a) || !reason || typeof a.permission !== 'string') return {}
  const text = (name: string) => (typeof a[name] === 'string' && a[name] !== '' ? { [name]: a[name] } : {})
  return { access: { permission: a.permission, reason, ...text('project'), ...text('api'), ...text('environment'), ...text('by') } }
}

function instanceOf(body: Record<string, unknown>, requestId?: string): { instance?: string } {
  for (const value of [body.instance, body.requestId, requestId]) {
    if (typeof value === 'string' && value !== '') return { instance: value }
  }
  return {}
}

/** Makes a problem of anything that was thrown. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof TypeError) return toProblem(null, 0)
  return {
    type: 'about:blank',
    title: 'Something in this page failed',
    detail: error instanceof Error ? error.message : String(error),
    status: 0,
    code: 'page-error',
  }
}

/** Turns "/config/rules/0/limit" into its steps. */
export function pointerSteps(pointer: string): string[] {
  if (pointer === '') return []
  return pointer
    .replace(/^#/, '')
    .replace(/^\//, '')
    .split('/')
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'))
}

export function toPointer(steps: readonly (string | number)[]): string {
  return steps.map((s) => '/' + String(s).replace(/~/g, '~0').replace(/\//g, '~1')).join('')
}

export interface FieldMessages {
  /** Messages by pointer, for the fields that the form has. */
  fields: Record<string, string>
  /** What points nowhere in this form; shown above it. */
  rest: FieldProblem[]
}

/**
 * Sorts a problem's field errors into a form. `known` says whether the form shows
 * a field for a pointer; `under` is where the form's document lies in what was
 * sent, such as "/config".
 */
export function fieldMessages(
  problem: Problem | undefined | null,
  known: (pointer: string) => boolean,
  under = '',
): FieldMessages {
  const out: FieldMessages = { fields: {}, rest: [] }
  for (const error of problem?.errors ?? []) {
    let pointer = error.pointer
    if (under && (pointer === under || pointer.startsWith(under + '/'))) pointer = pointer.slice(under.length)
    // A message about a part of a field's value stands at the field.
    let at: string | undefined = pointer
    while (at !== undefined && !known(at)) {
      const cut: number = at.lastIndexOf('/')
      at = cut >= 0 && at !== '' ? at.slice(0, cut) : undefined
    }
    if (at === undefined || (at === '' && !known(''))) out.rest.push(error)
    else out.fields[at] = out.fields[at] ? `${out.fields[at]} ${fieldText(error)}` : fieldText(error)
  }
  return out
}
