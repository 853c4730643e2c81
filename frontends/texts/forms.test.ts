// @vitest-environment node
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)
const pages = ['admin-console', 'tenant-console', 'developer-portal']
  .flatMap((app) => readdirSync(new URL(`${app}/src`, root), { recursive: true, encoding: 'utf8' }).map((f) => `${app}/src/${f}`))
  .filter((f) => f.endsWith('.vue'))
  .map((file) => ({ file, text: readFileSync(new URL(file, root), 'utf8') }))

/** Calls that change something stored. */
const CHANGES = /\.(PATCH|PUT)\(/

/**
 * Pages that change something stored otherwise than by useEdit, and why. What is
 * changed by one press (a switch, an order, a status) has nothing typed that could be lost.
 */
const OTHERWISE: Record<string, string> = {
  'admin-console/src/pages/apis/Design.vue': 'a document of its own, merged as text by whoever edits it',
  'admin-console/src/pages/apis/Policies.vue': 'the policy studio keeps drafts by itself',
  'admin-console/src/pages/apis/Upstreams.vue': 'the upstreams are one list, which is edited as a whole, also as code',
  'admin-console/src/pages/policies/Shared.vue': 'the policy studio keeps drafts by itself',
  'admin-console/src/pages/apis/Plans.vue': 'the order, by one press',
  'tenant-console/src/pages/SetupGuide.vue': 'a step, once',
  'tenant-console/src/pages/boundaries/BoundaryPanel.vue': 'the boundary, by one choice, in place of any other',
  'tenant-console/src/pages/domains/All.vue': 'the platform\'s word on a domain, by one press',
  'tenant-console/src/parts/MyFactors.vue': 'the name of a passkey, of which there is no version',
  'tenant-console/src/pages/environments/List.vue': 'the order, by one press',
  'tenant-console/src/pages/groups/Detail.vue': 'the boundary, by one choice',
  'tenant-console/src/pages/oauth/Client.vue': 'the status, by one press',
  'tenant-console/src/pages/reviews/Detail.vue': 'whether it is repeated, by one press',
  'tenant-console/src/pages/service-accounts/Detail.vue': 'the status, by one press',
  'tenant-console/src/pages/users/Detail.vue': 'the status, by one press',
}

describe('forms', () => {
  it('keep what they began from where they change something stored', () => {
    const without = pages.filter((p) => CHANGES.test(p.text) && !/\buseEdit\(/.test(p.text)).map((p) => p.file)
    expect(without.filter((f) => !(f in OTHERWISE))).toEqual([])
    expect(Object.keys(OTHERWISE).filter((f) => !without.includes(f))).toEqual([])
  })

  it('show three versions where somebody else saved first', () => {
    expect(pages.filter((p) => /\buseEdit\(/.test(p.text) && !p.text.includes('<GhMerge')).map((p) => p.file)).toEqual([])
  })

  // The panel of a policy belongs to the studio, which keeps drafts by itself.
  it('ask before a panel with changes is closed', () => {
    const panels = pages.flatMap((p) => [...p.text.matchAll(/<GhSidePanel [\s\S]*?<\/GhSidePanel>/g)].map((m) => ({ file: p.file, panel: m[0] })))
    const open = panels.filter(({ panel }) => panel.includes('@submit.prevent') && !panel.includes(':dirty=') && !panel.includes('id="policy"'))
    expect([...new Set(open.map((o) => o.file))]).toEqual([])
  })

  it('swallow nothing: what points at no field of theirs is told above them', () => {
    const forms = pages.filter((p) => /fieldMessages\(/.test(p.text) && /<form/.test(p.text))
    expect(forms.length).toBeGreaterThan(40)
    expect(forms.filter((p) => !/\.rest\b/.test(p.text)).map((p) => p.file)).toEqual([])
  })

  it('tell what they know to be wrong: each pointer that a form takes has a place in it', () => {
    const lost = pages.flatMap(({ file, text }) => {
      const known = [...text.matchAll(/fieldMessages\([^,]+, \(p\) => ([^\n]*)\)\)/g)].flatMap((m) => [...m[1]!.matchAll(/'(\/[\w/]+)'/g)].map((x) => x[1]!))
      return known.filter((p) => !new RegExp(`(fields|essages|errors)(\\.fields)?\\[['\`]${p}['\`]\\]|fieldError|textError`).test(text) && !text.includes(':messages=') && !text.includes(':errors=')).map((p) => `${file} ${p}`)
    })
    expect(lost).toEqual([])
  })
})
