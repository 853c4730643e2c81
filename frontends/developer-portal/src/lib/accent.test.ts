import { expect, it } from 'vitest'
import { contrast, parse, tokens } from './accent'

it('is readable whatever colour was chosen', () => {
  for (const colour of ['#ffff00', '#000000', '#ffffff', '#17693f', '#777777', '#ff00ff', '#8db0ff']) {
    for (const dark of [false, true]) {
      const t = tokens(colour, dark)!
      const accent = parse(t['--gh-accent']!)!
      expect(contrast(accent, dark ? [22, 26, 30] : [239, 239, 234]), colour).toBeGreaterThanOrEqual(4.5)
      expect(contrast(accent, parse(t['--gh-on-accent']!)!), colour).toBeGreaterThanOrEqual(4.5)
      expect(contrast(accent, parse(t['--gh-accent-bg']!)!), colour).toBeGreaterThanOrEqual(4.5)
    }
  }
})

it('keeps a colour that is readable', () => {
  expect(tokens('#17693f', false)!['--gh-accent']).toBe('#17693f')
  expect(tokens('red', false)).toBeNull()
})
