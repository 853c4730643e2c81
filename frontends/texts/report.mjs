/** Prints the texts that still miss in each language; these are shown in English. */
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
// The texts alone, without the components beside them.
const alias = [
  { find: /^@gatehouse\/schema-form$/, replacement: here('../packages/schema-form/src/locales.ts') },
  { find: /^@gatehouse\/schema-form\/(\w+)$/, replacement: here('../packages/schema-form/src/locales/$1.ts') },
  { find: /^@gatehouse\/ui\/texts$/, replacement: here('../packages/ui/src/texts.ts') },
]
const load = async (path) => (await runnerImport(here(path), { configFile: false, logLevel: 'error', resolve: { alias } })).module
const { catalogues } = await load('./catalogues.ts')
const { compareTexts, entriesOf } = await load('../packages/ui/src/texts.ts')

for (const { name, english, languages } of catalogues) {
  for (const [code, texts] of Object.entries(languages)) {
    const { missing } = compareTexts(english, texts, code)
    process.stdout.write(`${name} ${code}: ${missing.length} of ${entriesOf(english).size} texts missing\n${missing.map((key) => `  ${key}\n`).join('')}`)
  }
}
