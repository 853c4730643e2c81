import { expect, it } from 'vitest'
import { auditQuery, exportAddress } from './filter'

it('asks for what the query bar says, and for nothing that cannot be read', () => {
  expect(auditQuery({ text: 'ada', filters: { action: 'user.*', outcome: 'maybe', via: 'api', from: 'yesterday', to: '2030-01-01' } })).toEqual({ q: 'ada', action: 'user.*', via: 'api', to: '2030-01-01T00:00:00.000Z' })
})

it('exports what is shown', () => {
  expect(exportAddress({})).toBe('/api/tenant-manager/v1/audit/export')
  expect(exportAddress({ action: 'user.*', q: 'a b' })).toBe('/api/tenant-manager/v1/audit/export?action=user.*&q=a+b')
  expect(exportAddress({ action: 'user.*' }, 'csv')).toBe('/api/tenant-manager/v1/audit/export?action=user.*&format=csv')
})
