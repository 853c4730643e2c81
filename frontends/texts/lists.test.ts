// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../', import.meta.url)
const pages = ['admin-console', 'tenant-console', 'developer-portal']
  .flatMap((app) => readdirSync(new URL(`${app}/src`, root), { recursive: true, encoding: 'utf8' }).map((f) => `${app}/src/${f}`))
  .filter((f) => f.endsWith('.vue'))
  .map((file) => ({ file, text: readFileSync(new URL(file, root), 'utf8') }))

it('every list has a name that no other has, by which people keep columns and views', () => {
  const lists = pages.flatMap(({ file, text }) => [...text.matchAll(/<GhList\b(?:\s+name="([a-z0-9-]{1,60})")?/g)].map((m) => ({ file, name: m[1] })))
  expect(lists.length).toBeGreaterThan(20)
  expect(lists.filter((l) => !l.name).map((l) => l.file)).toEqual([])
  const names = lists.map((l) => l.name)
  expect(names.filter((n, i) => names.indexOf(n) !== i)).toEqual([])
})
