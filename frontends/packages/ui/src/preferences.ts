/**
 * What a person prefers: how the screens look, and how they have their lists. The
 * server keeps it (see preferenceSync.ts); this browser has a copy, so that the first
 * paint is right and nothing waits for the network.
 */
import { reactive, watch } from 'vue'

export type Theme = 'system' | 'light' | 'dark'

/** A state of a list with a name. */
export interface SavedView {
  name: string
  /** What stands in the query bar. */
  query: string
  /** The order, as the address of the page has it; none = the list's own. */
  sort?: string
  /** The columns that it shows; none = those of the list. */
  columns?: string[]
}

/** How somebody has a list. */
export interface ListChoices {
  columns?: string[]
  views?: Record<string, SavedView>
  /** The id of the view with which the list opens. */
  defaultView?: string
}

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
  /** By the name of the list. */
  lists: Record<string, ListChoices>
  /** Organizations that browsers kept before the server did. */
  favouriteOrganizations: { id: string; name: string }[]
}

/** What the server keeps of them. */
export type Kept = Omit<Preferences, 'favouriteOrganizations'>

export const KEY = 'gatehouse.preferences'

/** What holds where nothing was chosen. */
export const unchosen = (): Kept => ({ theme: 'system', contrast: 'system', density: 'comfortable', shortcuts: true, navCollapsed: false, utc: false, language: '', lists: {} })

/** Reads an object that the browser keeps; empty where there is none, or it is broken. */
export function stored(key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? '{}')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function read(): Preferences {
  const value = stored(KEY) as Partial<Preferences>
  const lists = typeof value.lists === 'object' && value.lists !== null ? value.lists : {}
  return { favouriteOrganizations: [], ...unchosen(), ...value, lists }
}

export const preferences: Preferences = reactive(read())

/** Takes over what another tab has stored. */
export function readAgain() {
  Object.assign(preferences, read())
}

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

function store() {
  const copy: Record<string, unknown> = { ...preferences }
  if (copy.contrast === 'system') delete copy.contrast
  try {
    localStorage.setItem(KEY, JSON.stringify(copy))
  } catch {
    // A browser that keeps nothing asks the server each time.
  }
}

/** Applies the preferences now, when they change, and when the system's do. */
export function followPreferences() {
  apply()
  watch(preferences, () => {
    store()
    apply()
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply)
  matchMedia('(prefers-contrast: more)').addEventListener('change', apply)
}
