// @vitest-environment node
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { keysOf, missingKeys } from '../../packages/ui/src/texts'
import shared from '../../packages/ui/src/locales/en'
import en from './locales/en'

it('has a text for every key that is used', () => {
  const root = fileURLToPath(new URL('.', import.meta.url))
  const sources: string[] = []
  const walk = (dir: string) => {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name)
      if (statSync(path).isDirectory()) walk(path)
      else if (/\.(vue|ts)$/.test(name) && !name.includes('.test.')) sources.push(readFileSync(path, 'utf8'))
    }
  }
  walk(root)
  expect(missingKeys(sources, keysOf({ ui: shared, ...en }))).toEqual([])
})
