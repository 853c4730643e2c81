// Generates the types of every service's API from its openapi.yaml.
// Run by `npm run generate`; what it writes is committed.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import openapiTS, { astToString } from 'openapi-typescript'

const services = fileURLToPath(new URL('../../../services/', import.meta.url))
const out = fileURLToPath(new URL('./src/gen/', import.meta.url))

mkdirSync(out, { recursive: true })
const names = existsSync(services) ? readdirSync(services).filter((n) => existsSync(`${services}${n}/openapi.yaml`)).sort() : []
for (const name of names) {
  const ast = await openapiTS(new URL(`file://${services}${name}/openapi.yaml`), { defaultNonNullable: false })
  writeFileSync(`${out}${name}.ts`, `// Generated from services/${name}/openapi.yaml by npm run generate. Do not edit.\n\n${astToString(ast)}`)
  process.stdout.write(`${name}\n`)
}
