import { expect, it } from 'vitest'
import { bodyOf, changes, formOf, NONE, type Domain } from './domain'

const domain: Domain = {
  id: 'd', version: 1, domain: 'acme.example', status: 'verified', record: { type: 'TXT', name: 'n', value: 'v' }, singleSignOn: 'required',
  groups: [{ id: 'g', name: 'Staff' }], connection: { id: 'c', name: 'Acme ID', enabled: true }, createdAt: '2030-01-01T00:00:00Z', createdBy: '',
}

it('sends what is shown', () => {
  const form = formOf(domain)
  expect(bodyOf(form)).toEqual({ connection: 'c', singleSignOn: 'required', groups: ['g'] })
  expect(changes(form, domain)).toBe(false)
  form.staged = false
  expect(bodyOf(form).groups).toEqual([])
  expect(changes(form, domain)).toBe(true)
  expect(bodyOf({ ...form, connection: NONE, singleSignOn: 'off', staged: true, groups: ['g'] })).toEqual({ connection: '', singleSignOn: 'off', groups: [] })
})
