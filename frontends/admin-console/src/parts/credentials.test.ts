import { mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { nextTick, ref } from 'vue'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import shared from '../../../packages/ui/src/locales/en'
import en from '../locales/en'
import { authOf, kindOf, MASK, secretOf, staysFor, unencrypted, type Upstream } from './credentials'
import UpstreamCredentials from './UpstreamCredentials.vue'

const upstream = (change: Partial<Upstream> = {}): Upstream => ({ name: 'a', targets: [{ url: 'https://orders:1/x' }], auth: { basic: { username: 'lena', password: MASK } }, ...change })

describe('a credential', () => {
  it('is of one kind, and begins as it was saved', () => {
    expect(kindOf(undefined)).toBe('none')
    expect(kindOf({ bearer: '' })).toBe('bearer')
    expect(authOf('basic', upstream().auth)).toEqual(upstream().auth)
    expect(authOf('header', upstream().auth)).toEqual({ header: { name: '', value: '' } })
    expect(authOf('none', upstream().auth)).toBeUndefined()
    expect(secretOf({ header: { name: 'X-Key', value: 'v' } })).toEqual({ text: 'v', at: '/auth/header/value' })
  })

  it.each<[string, Partial<Upstream>, boolean]>([
    ['nothing changes', {}, true],
    ['the path changes', { targets: [{ url: 'https://Orders:1/y' }] }, true],
    ['there is another target', { targets: [{ url: 'https://orders:1/x' }, { url: 'https://evil:1' }] }, false],
    ['it is sent without TLS', { targets: [{ url: 'http://orders:1/x' }] }, false],
    ['certificates are not checked', { tls: { insecureSkipVerify: true } }, false],
    ['it is another user', { auth: { basic: { username: 'root', password: MASK } } }, false],
    ['it is another kind', { auth: { bearer: MASK } }, false],
  ])('that is saved: when %s', (_, change, stays) => expect(staysFor(upstream(change), upstream())).toBe(stays))

  it('can be read on its way over http', () => {
    expect(unencrypted(upstream())).toBe(false)
    expect(unencrypted(upstream({ targets: [{ url: 'http://orders' }] }))).toBe(true)
  })
})

describe('the form', () => {
  function form(now: Upstream, saved: Upstream | undefined, errors: Record<string, string> = {}) {
    const model = ref(JSON.parse(JSON.stringify(now)) as Upstream)
    const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: { ...en, ui: shared } } })
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: {} }] })
    const w = mount(UpstreamCredentials, {
      props: { modelValue: model.value, saved, errorAt: (pointer: string) => errors[pointer], disabled: false },
      global: { plugins: [i18n, router] },
      attachTo: document.body,
    })
    return { w, model }
  }

  it('shows no secret, and keeps what is not typed anew', async () => {
    const { w, model } = form(upstream(), upstream())
    const field = w.find<HTMLInputElement>('input[name=credential]')
    expect(field.element.value).toBe('')
    expect(field.element.type).toBe('password')
    expect(field.attributes('placeholder')).toContain('Stored')
    await field.setValue('new')
    await nextTick()
    expect(model.value.auth?.basic?.password).toBe('new')
    await field.setValue('')
    await nextTick()
    expect(model.value.auth?.basic?.password).toBe(MASK)
    w.unmount()
  })

  it('shows a reference, and says what is wrong where it is', () => {
    const saved = upstream({ auth: { bearer: 'vault:secret/a#token' } })
    const { w } = form(saved, saved, { '/auth/bearer': 'this reference is not allowed' })
    expect(w.find<HTMLInputElement>('input[name=credentialReference]').element.value).toBe('vault:secret/a#token')
    expect(w.text()).toContain('this reference is not allowed')
    w.unmount()
    const right = form(saved, saved).w
    expect(right.text()).toContain('references.organizations')
    right.unmount()
  })

  it('takes a client certificate and its key, and takes both away', async () => {
    const { w, model } = form(upstream({ auth: undefined, tls: { minVersion: '1.3' } }), undefined)
    await w.find('button[role=switch]').trigger('click')
    await w.find('textarea[name=certificate]').setValue('-----BEGIN CERTIFICATE-----')
    await w.find('textarea[name=key]').setValue('-----BEGIN PRIVATE KEY-----')
    await nextTick()
    expect(model.value.tls).toEqual({ minVersion: '1.3', certificate: '-----BEGIN CERTIFICATE-----', key: '-----BEGIN PRIVATE KEY-----' })
    await w.find('button[role=switch]').trigger('click')
    expect(model.value.tls).toEqual({ minVersion: '1.3' })
    w.unmount()
  })
})
