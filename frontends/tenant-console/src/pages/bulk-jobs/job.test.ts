// @vitest-environment node
import { expect, it } from 'vitest'
import { headersOf, working } from './job'

it('finds the columns of a list', () => {
  expect(headersOf('\ufeffE-Mail;"Full name";;Role\r\na@b.c;Ada;;viewer')).toEqual(['E-Mail', 'Full name', 'Role'])
  expect(headersOf('login\tname')).toEqual(['login', 'name'])
  expect(headersOf('')).toEqual([])
})

it('knows what the service works on', () => {
  expect([working({ status: 'running' }), working({ status: 'checking' }), working({ status: 'ready' }), working(undefined)]).toEqual([true, true, false, false])
})
