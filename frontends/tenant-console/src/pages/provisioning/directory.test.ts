import { expect, it } from 'vitest'
import { bodyOf, countsText, empty, formOf, modeOf, OWN, withMode, type Directory } from './directory'

const directory: Directory = {
  id: 'd', name: 'Entra', enabled: true, domains: ['acme.example'], users: 2, groups: 1, version: 3, createdAt: '2031-01-01T00:00:00Z', createdBy: 'u',
}

it('sends domains of its own, or the single sign-on, and never both', () => {
  expect(bodyOf({ ...empty(), name: ' Entra ', domains: ['acme.example'] })).toEqual({ name: 'Entra', enabled: true, dryRun: false, domains: ['acme.example'] })
  expect(bodyOf({ ...empty(), name: 'Entra', connection: 'c', domains: ['typed.example'] })).toEqual({ name: 'Entra', enabled: true, dryRun: false, connection: 'c' })
})

it('reads a directory back', () => {
  expect(formOf(directory)).toEqual({ name: 'Entra', enabled: true, dryRun: false, connection: OWN, domains: ['acme.example'] })
  expect(formOf({ ...directory, connection: 'c' })).toEqual({ name: 'Entra', enabled: true, dryRun: false, connection: 'c', domains: [] })
})

it('is on, off, or a dry run', () => {
  expect(modeOf(directory)).toBe('on')
  expect(modeOf({ ...directory, dryRun: true })).toBe('dry')
  expect(modeOf({ ...directory, enabled: false, dryRun: true })).toBe('off')
  for (const mode of ['on', 'dry', 'off'] as const) expect(modeOf(withMode(empty(), mode))).toBe(mode)
  expect(withMode({ ...empty(), dryRun: true }, 'off').dryRun).toBe(false)
})

it('says what a dry run came to', () => {
  const said = countsText([{ action: 'created', kind: 'user', count: 3 }, { action: 'refused', count: 1 }], (key, n) => `${n} ${key}`)
  expect(said).toBe('3 scim.outcome.counts.created.user, 1 scim.outcome.counts.refused.any')
})
