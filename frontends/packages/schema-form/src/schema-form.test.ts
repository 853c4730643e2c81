import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import policies from '../testdata/policies.json'
import { alternatives, fieldsOf, kindOf, partition, SchemaForm, sentences, validate, withKey, type FieldKind, type JsonObject, type Schema } from './testing'
import { formTexts } from './locales'

const all = Object.entries(policies as unknown as Record<string, Schema>)

function form(schema: Schema, value: JsonObject, errors: Record<string, string> = {}) {
  const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: { form: formTexts } } })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: {} }] })
  return mount(SchemaForm, { props: { schema, modelValue: value, errors }, global: { plugins: [i18n, router] }, attachTo: document.body })
}

function walk(schema: Schema, visit: (s: Schema, kind: FieldKind) => void) {
  for (const f of fieldsOf(schema)) {
    visit(f.schema, f.kind)
    if (f.kind === 'object') walk(f.schema, visit)
    if (f.kind === 'objects') walk(f.schema.items!, visit)
  }
}

describe('every policy type', () => {
  it('is here', () => expect(all).toHaveLength(35))

  it.each(all)('%s needs no JSON by hand', (_, schema) => {
    walk(schema, (s, kind) => expect(kind, s.title).not.toBe('json'))
  })

  it.each(all)('%s renders a labelled control for each of its fields', async (_, schema) => {
    const w = form(schema, {})
    await nextTick()
    const more = w.findAll('button').find((b) => b.text().startsWith('More settings'))
    await more?.trigger('click')
    for (const f of fieldsOf(schema)) {
      if (f.schema['x-when']) continue
      expect(w.text(), f.key).toContain(f.schema.title ?? f.key)
      expect(w.find(`[data-pointer="/${f.key}"]`).exists(), f.key).toBe(true)
    }
    w.unmount()
  })
})

describe('a form', () => {
  const schema: Schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      limit: { type: 'integer', minimum: 1, title: 'Limit', 'x-order': 1 },
      mode: { type: 'string', enum: ['local', 'fast'], default: 'local', title: 'Mode', 'x-order': 2 },
      sync: { type: 'string', title: 'Sync', 'x-order': 3, 'x-when': { field: 'mode', in: ['fast'] } },
      size: { type: ['string', 'integer'], title: 'Size', 'x-order': 4 },
      names: { type: 'array', items: { type: 'string' }, title: 'Names', 'x-order': 5 },
      rules: { type: 'array', title: 'Rules', items: { type: 'object', title: 'Rule', properties: { path: { type: 'string', title: 'Path' } } }, 'x-order': 6 },
      set: { type: 'object', title: 'Set', additionalProperties: { type: 'string' }, 'x-order': 7 },
    },
  }
  const last = (w: ReturnType<typeof form>) => (w.emitted('update:modelValue') ?? []).at(-1)?.[0]

  it('keeps keys that it does not know, at every depth', async () => {
    const w = form(schema, { limit: 1, later: { a: 1 }, rules: [{ path: '/a', note: 'mine' }] })
    await w.find('[data-pointer="/limit"] input').setValue('20')
    expect(last(w)).toEqual({ limit: 20, later: { a: 1 }, rules: [{ path: '/a', note: 'mine' }] })
    await nextTick()
    await new Promise((r) => setTimeout(r))
    await w.find('[data-pointer="/rules/0/path"] input').setValue('/b')
    expect(last(w)).toMatchObject({ later: { a: 1 }, rules: [{ path: '/b', note: 'mine' }] })
    expect(w.text()).toContain('later')
  })

  it('takes a cleared field out, so that the default holds', async () => {
    const w = form(schema, { limit: 5 })
    await w.find('[data-pointer="/limit"] input').setValue('')
    expect(last(w)).toEqual({})
  })

  it('shows a field only when the one it depends on asks for it', async () => {
    const w = form(schema, {})
    expect(w.find('[data-pointer="/sync"]').exists()).toBe(false)
    await w.setProps({ modelValue: { mode: 'fast' } })
    expect(w.find('[data-pointer="/sync"]').exists()).toBe(true)
  })

  it('shows messages at the fields that they point to', () => {
    const w = form(schema, { rules: [{}] }, { '/limit': 'too small' })
    expect(w.find('[data-pointer="/limit"]').text()).toContain('too small')
  })

  it('adds and removes entries of lists', async () => {
    const w = form(schema, { names: ['a'] })
    const input = w.find('[data-pointer="/names"] input')
    await input.setValue('b')
    await input.trigger('keydown', { key: 'Enter' })
    expect(last(w)).toEqual({ names: ['a', 'b'] })
    await w.setProps({ modelValue: { names: ['a'] } })
    await w.find('[aria-label="Remove a"]').trigger('click')
    expect(last(w)).toEqual({})
  })

  it('edits names with values', async () => {
    const w = form(schema, { set: { A: '1' } })
    const inputs = w.findAll('[data-pointer="/set"] input')
    await inputs[1]!.setValue('2')
    expect(last(w)).toEqual({ set: { A: '2' } })
  })

  it('sends a number where a size is one', async () => {
    const w = form(schema, {})
    await w.find('[data-pointer="/size"] input').setValue('4096')
    expect(last(w)).toEqual({ size: 4096 })
    await w.find('[data-pointer="/size"] input').setValue('4KiB')
    expect(last(w)).toEqual({ size: '4KiB' })
  })
})

describe('validate', () => {
  const rateLimit = (policies as unknown as Record<string, Schema>)['rate-limit']!
  const jwt = (policies as unknown as Record<string, Schema>).jwt!
  const codes = (s: Schema, v: JsonObject) => validate(s, v as never).map((m) => `${m.pointer} ${m.code}`)

  it.each<[string, Schema, JsonObject, string[]]>([
    ['a good limit', rateLimit, { limit: 10, window: '1m' }, []],
    ['a limit of nothing', rateLimit, { limit: 0 }, ['/limit minimum']],
    ['a text for a number', rateLimit, { limit: 'ten' }, ['/limit type']],
    ['no time', rateLimit, { window: 'often' }, ['/window timespan']],
    ['a key that is not there', rateLimit, { limits: 1 }, ['/limits unknown']],
    ['a rule without its parts', rateLimit, { rules: [{}] }, ['/rules/0/limit required', '/rules/0/window required']],
    ['no key at all', jwt, {}, [' oneOf']],
    ['two kinds of key', jwt, { jwksUrl: 'https://a/b', secret: 'x' }, [' onlyOne']],
    ['the mask of a secret', jwt, { secret: 'env:' }, ['/secret not']],
  ])('%s', (_, schema, value, want) => expect(codes(schema, value)).toEqual(want))
})

it('names the alternatives of a schema', () => {
  expect(alternatives((policies as unknown as Record<string, Schema>).acl!)).toEqual([{ keys: ['allow', 'deny'], exactly: false }])
})

it('puts long forms behind "more", but never what is set or wrong', () => {
  const jwt = (policies as unknown as Record<string, Schema>).jwt!
  const fields = fieldsOf(jwt)
  const { shown, more } = partition(fields, { realm: 'x' }, { '/maxSize': 'too large' }, '')
  expect(shown.map((f) => f.key)).toEqual(expect.arrayContaining(['jwksUrl', 'realm', 'maxSize']))
  expect(shown.length + more.length).toBe(fields.length)
})

it('parts a description after its first sentence when it is long', () => {
  expect(sentences('Short one. Two.').rest).toBe('')
  expect(sentences(`${'x'.repeat(120)}. Then more.`)).toEqual({ first: `${'x'.repeat(120)}.`, rest: 'Then more.' })
})

it('sets and takes out one key and nothing else', () => {
  expect(withKey({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 })
  expect(withKey({ b: 2 }, 'a', 3)).toEqual({ a: 3, b: 2 })
})

it('edits what no kind covers as JSON', () => {
  expect(kindOf({})).toBe('json')
  expect(kindOf({ type: ['object', 'array'] })).toBe('json')
})
