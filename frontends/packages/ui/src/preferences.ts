/** What a person prefers, kept in this browser: theme, contrast, density, keys. */
import { reactive, watch } from 'vue'

export type Theme = 'system' | 'light' | 'dark'

export interface Preferences {
  theme: Theme
  contrast: 'system' | 'more'
  density: 'comfortable' | 'compact'
  /** Single-key shortcuts can be turned off (WCAG 2.1.4). */
  shortcuts: boolean
  navCollapsed: boolean
  utc: boolean
  /** The code of a language; empty is as the browser's list says. */
  language: string
  /** Organizations that an administrator of the platform wants at hand. */
  favouriteOrganizations: { id: string; name: string }[]
}

const KEY = 'gatehouse.preferences'

function read(): Partial<Preferences> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    return typeof value === 'object' && value !== null ? (value as Partial<Preferences>) : {}
  } catch {
    return {}
  }
}

export const preferences: Preferences = reactive({
  theme: 'system',
  contrast: 'system',
  density: 'comfortable',
  shortcuts: true,
  navCollapsed: false,
  utc: false,
  language: '',
  favouriteOrganizations: [],
  ...read(),
})

/** Whether the dark theme is in force, whatever the preference says. */
export const appearance = reactive({ dark: false })

function apply() {
  const html = document.documentElement
  const dark =
    preferences.theme === 'dark' ||
    (preferences.theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
  const more =
    preferences.contrast === 'more' || matchMedia('(prefers-contrast: more)').matches
  appearance.dark = dark
  html.dataset.theme = dark ? 'dark' : 'light'
  html.classList.toggle('dark', dark)
  html.classList.toggle('light', !dark)
  if (more) html.dataset.contrast = 'more'
  else delete html.dataset.contrast
  if (preferences.density === 'compact') html.dataset.density = 'compact'
  else delete html.dataset.density
}

/** Applies the preferences now, when they change, and when the system's do. */
export function followPreferences() {
  apply()
  watch(preferences, () => {
    const stored: Record<string, unknown> = { ...preferences }
    if (stored.contrast === 'system') delete stored.contrast
    localStorage.setItem(KEY, JSON.stringify(stored))
    apply()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply)
  matchMedia('(prefers-contrast: more)').addEventListener('change', apply)
}
