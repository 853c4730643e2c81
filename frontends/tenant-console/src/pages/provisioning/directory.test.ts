import { expect, it } from 'vitest'
import { bodyOf, empty, formOf, OWN, type Directory } from './directory'

const directory: Directory = {
  id: 'd', name: 'Entra', enabled: true, domains: ['acme.example'], users: 2, groups: 1, version: 3, createdAt: '2031-01-01T00:00:00Z', createdBy: 'u',
}

it('sends domains of its own, or the single sign-on, and never both', () => {
  expect(bodyOf({ ...empty(), name: ' Entra ', domains: ['acme.example'] })).toEqual({ name: 'Entra', enabled: true, domains: ['acme.example'] })
  expect(bodyOf({ ...empty(), name: 'Entra', connection: 'c', domains: ['typed.example'] })).toEqual({ name: 'Entra', enabled: true, connection: 'c' })
})

it('reads a directory back', () => {
  expect(formOf(directory)).toEqual({ name: 'Entra', enabled: true, connection: OWN, domains: ['acme.example'] })
  expect(formOf({ ...directory, connection: 'c' })).toEqual({ name: 'Entra', enabled: true, connection: 'c', domains: [] })
})
