import { expect, it } from 'vitest'
import { listOf, pageOfItem, refusedSince } from './posture'

it('leads to the list of exactly those that are counted', () => {
  expect(listOf('users-without-factor')).toEqual({ path: '/users', query: { q: 'status:active mfa:no' } })
  expect(listOf('audit-broken')).toEqual({ path: '/audit' })
  expect(listOf('tokens-unused')).toBeUndefined()
})

it('leads to what a finding names', () => {
  expect(pageOfItem({ kind: 'scim-directory', id: 'd1', name: 'Okta' })).toBe('/provisioning/d1')
  expect(refusedSince('2030-01-01T00:00:00Z').query.q).toBe('action:user.signed-in outcome:refused from:2030-01-01T00:00:00Z')
})
