import { expect, it } from 'vitest'
import { searchFor, wayTo } from './groups'

const g = (name: string) => ({ id: `id of ${name}`, name })

it('says every way to a group, from the top', () => {
  expect(wayTo({})).toEqual([])
  expect(wayTo({ within: [[g('Payments')], [g('Payments'), g('Engineering')], [g('Berlin')]] })).toEqual(['Engineering / Payments', 'Berlin'])
})

it('looks for a path where there is a slash, and for a name else', () => {
  expect(searchFor(' ')).toEqual({})
  expect(searchFor('pay')).toEqual({ q: 'pay' })
  expect(searchFor('/engineering/pay ')).toEqual({ path: '/engineering/pay' })
})
