import { mount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import de from '../../locales/de'
import en from '../../locales/en'
import ko from '../../locales/ko'
import Failed from './Failed.vue'

vi.mock('@gatehouse/ui', () => ({
  GhAuthFrame: { props: ['title'], template: '<main><h1>{{ title }}</h1><slot /></main>' },
  GhCopy: { template: '<span />' },
}))

const ID = '01a2b3c4-77aa-7bbb-8ccc-0123456789ab'

async function shown(address: string, locale: 'en' | 'de' | 'ko' = 'en') {
  const i18n = createI18n({ legacy: false, locale, messages: { en, de, ko } as never })
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/error', component: Failed }] })
  await router.push(address)
  return mount(Failed, { global: { plugins: [i18n, router] } }).text()
}

it('has words of its own for each code, in each language', async () => {
  for (const [locale, texts] of Object.entries({ en, de: de as unknown as typeof en, ko: ko as unknown as typeof en })) {
    for (const [code, words] of Object.entries(texts.oauth.failed.codes)) {
      const page = await shown(`/error?error=${code}&request_id=${ID}`, locale as 'en')
      expect(page).toContain(words)
      expect(page).toContain(code)
      expect(page).toContain(ID)
    }
  }
})

it('shows nothing that somebody else has written into the address', async () => {
  const bait = 'Call+0800+555+to+unlock+your+account'
  for (const address of [
    `/error?error=${bait}&error_description=${bait}&request_id=${bait}`,
    `/error?error=invalid_request&error_description=${bait}&request_id=${ID}-${bait}`,
    `/error?error=invalid_request&error=${bait}&request_id=${ID}&request_id=${bait}`,
    `/error?error=__proto__&error_description=${bait}`,
    '/error',
  ]) {
    const page = await shown(address)
    expect(page).toContain(en.oauth.failed.title)
    expect(page).not.toMatch(/0800|__proto__/)
  }
})
