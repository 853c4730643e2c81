// @vitest-environment node
import { expect, it } from 'vitest'
import { parseQuery } from '../../../../packages/ui/src/composables/query'
import { FILTERS, searchOf, userQuery } from './filter'

const at = Date.parse('2030-06-15T13:14:15Z')
const ask = (text: string) => userQuery(parseQuery(text, FILTERS), at)

it.each([
  ['', {}],
  ['ada', { q: 'ada' }],
  ['ada status:disabled', { q: 'ada', status: 'disabled' }],
  ['status:odd', {}],
  ['mfa:no', { secondFactor: false }],
  ['mfa:perhaps', {}],
  ['seen:never', { neverSignedIn: true }],
  ['seen:30d', { signedInBefore: '2030-05-16T00:00:00.000Z' }],
  ['seen:soon', {}],
  ['source:"scim:Okta Prod" role:owner group:"All staff"', { source: 'scim:Okta Prod', role: 'owner', group: 'All staff' }],
])('reads %s', (text, want) => {
  expect(ask(text)).toEqual(want)
})

it('writes an address', () => {
  expect(searchOf(ask('a&b mfa:yes source:"sso:A B"'))).toBe('q=a%26b&source=sso%3AA+B&secondFactor=true')
})
