import { expect, it } from 'vitest'
import { dayAfter, endOf } from './review'

it('counts days over the end of a month', () => {
  expect(dayAfter(new Date(2030, 0, 25), 14)).toBe('2030-02-08')
})

it('ends a day at its last second', () => {
  expect(new Date(endOf('2030-02-08')).getHours()).toBe(23)
})
