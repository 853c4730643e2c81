// @vitest-environment node
import { expect, it } from 'vitest'
import { jobsOf, keysOf, span, troubles, type Instance } from './instances'

const base: Instance = {
  service: 'a', instance: '1', host: 'h', version: 'v', go: 'go', startedAt: '2030-01-01T00:00:00Z', at: '2030-01-01T00:00:00Z', features: [], jobs: [],
  secrets: { vault: false, inUse: 0, stale: 0, missing: 0 },
}
const now = Date.parse(base.at)

it('says what is wrong with an instance', () => {
  expect(troubles(base, now + 10_000)).toEqual([])
  expect(troubles(base, now + 40_000)).toEqual(['silent'])
  expect(troubles({ ...base, secrets: { ...base.secrets, stale: 1 }, jobs: [{ name: 'x', holds: true, running: false, runs: 1, error: 'e' }] }, now)).toEqual(['stale', 'jobs'])
})

it('shows each job once, by the instance that does it', () => {
  const job = { name: 'sweep', running: false, runs: 3 }
  const list = jobsOf([{ ...base, jobs: [{ ...job, holds: false }] }, { ...base, instance: '2', jobs: [{ ...job, holds: true }] }, { ...base, service: 'b', jobs: [{ ...job, holds: true }] }])
  expect(list.map((j) => [j.service, j.instance])).toEqual([['a', '2'], ['b', '1']])
})

it('counts what is on which key', () => {
  const keys = { ring: ['new', 'old'], columns: [{ table: 't', column: 'c', values: { new: 3, old: 1 } }] }
  expect(keysOf([{ ...base, keys }])[0]).toMatchObject({ total: 4, current: 3, old: 1, missing: [], differ: false })
  const column = (name: string, values: Record<string, number>) => ({ table: 't', column: name, values })
  const lost = { ring: ['new'], columns: [column('c', { new: 3, gone: 2, unknown: 1 }), column('d', { gone: 1 })] }
  expect(keysOf([{ ...base, keys: lost }])[0]).toMatchObject({ total: 7, current: 3, old: 1, missing: [['gone', 3]] })
  expect(keysOf([{ ...base, keys: { ...keys, ring: ['old'] } }, { ...base, instance: '2', keys }])[0]?.differ).toBe(true)
})

it('writes spans', () => expect([0, 0.02, 12.34, 600, 7200, 864_000].map(span)).toEqual(['< 1 ms', '20 ms', '12.3 s', '10 min', '2 h', '10 d']))
