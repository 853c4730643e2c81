// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { fieldMessages, pointerSteps, ProblemError, problemOf, toPointer, toProblem, missingAccess } from './problem'

const invalid = {
  type: '/problems/invalid-input',
  title: 'Invalid input',
  status: 422,
  code: 'invalid-input',
  errors: [
    { pointer: '/config/limit', code: 'minimum', detail: 'must be 1 or more' },
    { pointer: '/config/rules/0/window', code: 'required', detail: 'is needed' },
    { pointer: '/name', code: 'required', detail: 'is needed' },
  ],
}

describe('toProblem', () => {
  it('keeps what a service said', () => {
    expect(toProblem({ ...invalid, instance: 'r-1' }, 422)).toMatchObject({ code: 'invalid-input', instance: 'r-1', errors: invalid.errors })
  })
  it('takes the request id from the answer where the document has none', () => {
    expect(toProblem(invalid, 422, 'r-2').instance).toBe('r-2')
  })
  it.each([[null], ['<html>'], [{ message: 'no' }], [[]]])('makes a problem of %j', (body) => {
    expect(toProblem(body, 502)).toMatchObject({ status: 502, code: 'http-502' })
  })
})

describe('problemOf', () => {
  it('opens what a call threw', () => {
    expect(problemOf(new ProblemError(toProblem(invalid, 422))).code).toBe('invalid-input')
  })
  it('knows a lost connection', () => {
    expect(problemOf(new TypeError('fetch')).code).toBe('no-connection')
  })
})

describe('fieldMessages', () => {
  const form = new Set(['/limit', '/rules'])
  const known = (pointer: string) => form.has(pointer)

  it('sorts messages into the fields of a form', () => {
    const { fields, rest } = fieldMessages(toProblem(invalid, 422), known, '/config')
    expect(fields).toEqual({ '/limit': 'must be 1 or more', '/rules': 'is needed' })
    expect(rest.map((e) => e.pointer)).toEqual(['/name'])
  })
  it('does not take /configuration for a part of /config', () => {
    const p = toProblem({ ...invalid, errors: [{ pointer: '/configuration', code: 'x', detail: 'd' }] }, 422)
    expect(fieldMessages(p, () => false, '/config').rest).toHaveLength(1)
  })
  it('says nothing where there is no problem', () => {
    expect(fieldMessages(null, known)).toEqual({ fields: {}, rest: [] })
  })
})

it('escapes pointers both ways', () => {
  const steps = ['a/b', 'c~d', '0']
  expect(pointerSteps(toPointer(steps))).toEqual(steps)
  expect(pointerSteps('')).toEqual([])
})

it('knows what can be asked for by the fields of the answer, and not by its texts', () => {
  const refused = (access: unknown) => toProblem({ title: 'Zugriff verweigert', code: 'access-denied', detail: 'irgendetwas', access }, 403)
  const lacked = { permission: 'deployment:deploy:prd', project: 'p1', reason: 'missing' }
  expect(missingAccess(refused(lacked))).toEqual(lacked)
  const denied = refused({ permission: 'user:read', reason: 'denied', by: 'No users' })
  expect(denied.access).toEqual({ permission: 'user:read', reason: 'denied', by: 'No users' })
  expect(missingAccess(denied)).toBeNull()
  for (const other of [undefined, null, 'x', [], {}, { permission: 'user:read' }, { permission: 1, reason: 'missing' }, { permission: 'user:read', reason: 'other' }]) {
    expect(refused(other).access).toBeUndefined()
  }
  expect(missingAccess(toProblem({ title: 'Access denied', code: 'access-denied', detail: 'this needs the permission user:read in it' }, 403))).toBeNull()
})
