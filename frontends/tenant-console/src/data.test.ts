import { expect, it } from 'vitest'
import { byKind, covers, everything, madeFor, shorten, type Permission } from './data'

const permissions: Permission[] = ['api:read', 'api:update', 'plan:read', 'audit:read'].map((name) => {
  const [kind, verb] = name.split(':') as [string, string]
  return { name, kind, verb, title: name }
})

it('knows what a pattern covers', () => {
  expect(['*', 'api:read', 'api:*', '*:read'].every((p) => covers(p, 'api:read'))).toBe(true)
  expect(['plan:*', '*:update', 'api:update', 'api', ''].some((p) => covers(p, 'api:read'))).toBe(false)
})

it('makes rows of permissions', () => {
  expect(byKind(permissions).map((r) => `${r.kind}: ${r.verbs.join(' ')}`)).toEqual(['api: read update', 'plan: read', 'audit: read'])
})

it('writes a role as shortly as it can', () => {
  expect(shorten(new Set(permissions.map((p) => p.name)), permissions)).toEqual(['*'])
  expect(shorten(new Set(['api:read', 'api:update', 'plan:read']), permissions)).toEqual(['api:*', 'plan:read'])
  expect(shorten(new Set(), permissions)).toEqual([])
})

it('says what a token is made for, and nothing where that is everything', () => {
  expect(madeFor(everything())).toEqual({})
  expect(madeFor({ extent: 'read', permissions: ['api:update'], project: 'p1' })).toEqual({ permissions: ['*:read'], project: 'p1' })
  expect(madeFor({ extent: 'some', permissions: ['api:read', 'plan:read'], environment: 'e1' })).toEqual({ permissions: ['api:read', 'plan:read'], environment: 'e1' })
})
