// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { diffLines, foldLines } from './diff'

const shown = (before: string, after: string) => diffLines(before, after).map((l) => ({ same: ' ', add: '+', del: '-' })[l.kind] + l.text)

describe('diffLines', () => {
  it.each([
    ['', '', []],
    ['a\nb', 'a\nb', [' a', ' b']],
    ['', 'a', ['+a']],
    ['a', '', ['-a']],
    ['a\nb\nc', 'a\nx\nc', [' a', '-b', '+x', ' c']],
    ['a\nb\nc\nd', 'b\nd\ne', ['-a', ' b', '-c', ' d', '+e']],
  ])('%j to %j', (before, after, want) => {
    expect(shown(before as string, after as string)).toEqual(want)
  })

  it('gives back both sides, whatever they are', () => {
    let seed = 7
    const random = (n: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n
    for (let i = 0; i < 200; i++) {
      const make = () => Array.from({ length: random(12) }, () => 'abcd'[random(4)]).join('\n')
      const [a, b] = [make(), make()]
      const lines = diffLines(a, b)
      expect(lines.filter((l) => l.kind !== 'add').map((l) => l.text).join('\n')).toBe(a)
      expect(lines.filter((l) => l.kind !== 'del').map((l) => l.text).join('\n')).toBe(b)
    }
  })
})

it('folds long runs of equal lines', () => {
  const before = Array.from({ length: 20 }, (_, i) => `line ${i}`).join('\n')
  const folded = foldLines(diffLines(before, before.replace('line 10', 'new')), 2)
  expect(folded[0]).toEqual({ kind: 'fold', count: 8 })
  expect(folded.at(-1)).toEqual({ kind: 'fold', count: 7 })
  expect(folded.filter((l) => l.kind === 'same')).toHaveLength(4)
})
