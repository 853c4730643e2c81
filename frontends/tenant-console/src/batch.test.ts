// @vitest-environment node
import { expect, it } from 'vitest'
import { ProblemError, toProblem } from '@gatehouse/api'
import { runBatch, toCsv } from './batch'

it('goes on after a part that failed, and stops when told', async () => {
  const out: string[] = []
  const run = (stopAfter: number) =>
    runBatch<number, string>({
      items: [1, 2, 3, 4, 5],
      size: 2,
      send: (part) => (part.includes(3) ? Promise.reject(new ProblemError(toProblem({ title: 'No', detail: 'away' }, 503))) : Promise.resolve(part.map((n) => `${n} done`))),
      failed: (n, why) => `${n} ${why}`,
      onPart: (results) => out.push(...results),
      stopped: () => out.length >= stopAfter,
    })
  await run(99)
  expect(out).toEqual(['1 done', '2 done', '3 away', '4 away', '5 done'])
  out.length = 0
  await run(2)
  expect(out).toEqual(['1 done', '2 done'])
})

it('writes tables without formulas', () => {
  expect(toCsv([['a', 'b,c', 'say "x"'], ['=1+1', '-2', 'two\nlines']])).toBe('a,"b,c","say ""x"""\r\n\'=1+1,\'-2,"two\nlines"\r\n')
})
