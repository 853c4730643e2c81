/** The codes of fields at fault that the services can answer with, as their sources have them. */
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)

function sources(folder: string): string[] {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.go') && !f.endsWith('_test.go') && !f.endsWith('.gen.go'))
    .map((f) => readFileSync(new URL(`${folder}/${f}`, root), 'utf8'))
}

/** A problem.Field as it is written, and the short ways that make one: invalid(pointer, "code", …). */
const WRITTEN = [/Pointer:[^\n]*?Code:\s*"([\w-]+)"/g, /(?<![.\w])(?:invalid|add|field|report|wrong|fail)\((?:(?:[^,()\n]|\([^()\n]*\))+,\s*){1,2}"([a-z][A-Za-z-]*)",\s/g]

/** Codes of the rules of JSON Schema, of which the requests' contract makes use. */
const CONTRACT = ['uniqueItems', 'not', 'exclusiveMinimum', 'exclusiveMaximum', 'maxProperties', 'minProperties']

/** Every code that a service can answer with, in order. */
export function fieldCodes(): string[] {
  const found = new Set(CONTRACT)
  for (const text of [...sources('services'), ...sources('libs')]) for (const pattern of WRITTEN) for (const m of text.matchAll(pattern)) found.add(m[1]!)
  for (const m of readFileSync(new URL('libs/schema/rules.go', root), 'utf8').matchAll(/Rule\w+\s*= "(\w+)"/g)) found.add(m[1]!)
  return [...found].sort()
}
