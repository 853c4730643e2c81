/** How the organization's sign-in pages look: loaded once for a page, before anybody is signed in. */
import { reactive, type InjectionKey, type Ref } from 'vue'
import { data, tenantManager, type TenantSchemas } from '@gatehouse/api'

export type PublicBrand = TenantSchemas['PublicBrand']

/** What the preview beside a form shows in place of the real thing. */
export interface BrandPreview {
  brand: PublicBrand
  dark: boolean
  language: string
}
export const previewKey: InjectionKey<Ref<BrandPreview>> = Symbol('brand preview')

export interface BrandQuery {
  organization?: string
  client?: string
  authorization?: string
}

/** What the page that is open says of the organization it is of. */
export function brandQuery(address: { pathname: string; search: string }): BrandQuery {
  const query = new URLSearchParams(address.search)
  const out: BrandQuery = {}
  const take = (from: URLSearchParams, path: string) => {
    const organization = from.get('organization')
    const client = from.get('client')
    if (organization) out.organization = organization.slice(0, 63)
    if (client && !client.startsWith('gatehouse-')) out.client = client.slice(0, 64) // ours have no organization
    const request = from.get('request')
    if (path === '/consent' && request) out.authorization = request.slice(0, 128)
  }
  // Who is not signed in comes here on their way to another page of this app.
  const next = query.get('next')
  if (next?.startsWith('/')) {
    const [path = '', search = ''] = next.split('?')
    take(new URLSearchParams(search), path)
  }
  take(query, address.pathname)
  return out
}

const nobody: PublicBrand = { displayName: '', language: 'en', texts: [] }
export const shownBrand = reactive<{ value: PublicBrand; known: boolean; asked: string | null }>({ value: nobody, known: false, asked: null })

/** Asks for the brand, unless that was asked for before. A page without one is better than none. */
export async function loadBrand(query: BrandQuery) {
  const key = JSON.stringify(query)
  if (shownBrand.asked === key) return
  shownBrand.asked = key
  try {
    const value = await data(tenantManager.GET('/brand/public', { params: { query } }))
    if (shownBrand.asked === key) shownBrand.value = value
  } catch {
    shownBrand.asked = null
  } finally {
    shownBrand.known = true
  }
}

type Text = PublicBrand['texts'][number]

/** What the brand says in a language, field by field: in that, a relative of it, its default, or any. */
export function brandText(brand: PublicBrand, language: string): Omit<Text, 'language'> {
  const base = (tag: string) => tag.toLowerCase().split('-')[0]
  const order = [
    ...brand.texts.filter((t) => t.language.toLowerCase() === language.toLowerCase()),
    ...brand.texts.filter((t) => base(t.language) === base(language)),
    ...brand.texts.filter((t) => t.language === brand.language),
    ...brand.texts,
  ]
  const first = (name: 'welcome' | 'helpLabel' | 'helpUrl' | 'termsUrl' | 'privacyUrl') => order.find((t) => t[name])?.[name]
  const help = order.find((t) => t.helpUrl)
  return {
    ...(first('welcome') ? { welcome: first('welcome') } : {}),
    ...(help ? { helpUrl: help.helpUrl, ...(help.helpLabel ? { helpLabel: help.helpLabel } : {}) } : {}),
    ...(first('termsUrl') ? { termsUrl: first('termsUrl') } : {}),
    ...(first('privacyUrl') ? { privacyUrl: first('privacyUrl') } : {}),
  } as Omit<Text, 'language'>
}

/** The tokens that follow from the brand's accent; none where it has no accent. */
export function brandTokens(brand: PublicBrand, dark: boolean): Record<string, string> {
  const c = brand.palette?.[dark ? 'dark' : 'light']
  return c ? { '--gh-accent': c.accent, '--gh-accent-hover': c.hover, '--gh-accent-bg': c.tint, '--gh-on-accent': c.on } : {}
}

const NAMES = ['--gh-accent', '--gh-accent-hover', '--gh-accent-bg', '--gh-on-accent']

/** Puts the tokens in force on the whole page, or takes them away; high contrast keeps its own grounds. */
export function applyBrand(tokens: Record<string, string>) {
  const style = document.documentElement.style
  for (const name of NAMES) {
    if (tokens[name] && !(name === '--gh-accent-bg' && document.documentElement.dataset.contrast === 'more')) style.setProperty(name, tokens[name])
    else style.removeProperty(name)
  }
}

/** The logo for a theme. */
export function brandLogo(brand: PublicBrand, dark: boolean) {
  return (dark ? (brand.logoDark ?? brand.logoLight) : (brand.logoLight ?? brand.logoDark)) ?? null
}
