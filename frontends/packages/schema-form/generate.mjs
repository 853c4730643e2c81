// Takes the schemas of all policy types from the gateway, for the tests: every
// one must render. Run by `npm run generate`; what it writes is committed.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const text = execFileSync('go', ['run', './gateway/cmd/gateway', 'schema'], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 })
const defs = JSON.parse(text).$defs
const policies = Object.fromEntries(Object.entries(defs).filter(([, s]) => s.$schema))
writeFileSync(new URL('./testdata/policies.json', import.meta.url), JSON.stringify(policies, null, 1) + '\n')
process.stdout.write(`${Object.keys(policies).length} policy types\n`)
