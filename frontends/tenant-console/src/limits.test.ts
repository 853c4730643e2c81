import { describe, expect, it } from 'vitest'
import { limitsPatch, RESOURCES, type Resource } from './limits'

const typed = (some: Partial<Record<Resource, string | number>>) => ({ ...(Object.fromEntries(RESOURCES.map((r) => [r, ''])) as Record<Resource, string>), ...some }) as Record<Resource, string>

describe('limitsPatch', () => {
  it('says what changes, and nothing else', () => {
    expect(limitsPatch(typed({}), {})).toBeNull()
    expect(limitsPatch(typed({ apis: '20' }), { apis: 20 })).toBeNull()
    expect(limitsPatch(typed({ apis: '20', users: 5 }), { apis: 10 })).toEqual({ apis: 20, users: 5 })
    expect(limitsPatch(typed({}), { apis: 10 })).toEqual({ apis: null })
    expect(limitsPatch(typed({ apis: '0' }), {})).toEqual({ apis: 0 })
  })
})
