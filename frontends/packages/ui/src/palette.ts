/** What the command palette can do: the commands of the page and of the app. */
import { onScopeDispose, ref, shallowReactive, toValue, type MaybeRefOrGetter } from 'vue'
import type { RouteLocationRaw } from 'vue-router'

export interface Command {
  id: string
  label: string
  /** Said beside the label, such as a path. */
  note?: string
  icon?: string
  group: string
  keys?: string[]
  to?: RouteLocationRaw
  run?: () => void
}

/** Looks something up on the server for what was typed. */
export type CommandSearch = (text: string, signal: AbortSignal) => Promise<Command[]>

export const paletteOpen = ref(false)
export const shortcutsOpen = ref(false)

const sources = shallowReactive(new Set<MaybeRefOrGetter<Command[]>>())
const searches = shallowReactive(new Set<CommandSearch>())

/** Adds commands for as long as the calling component lives. */
export function useCommands(commands: MaybeRefOrGetter<Command[]>) {
  sources.add(commands)
  onScopeDispose(() => sources.delete(commands))
}

/** Adds a search on the server for as long as the calling component lives. */
export function useCommandSearch(search: CommandSearch) {
  searches.add(search)
  onScopeDispose(() => searches.delete(search))
}

export function allCommands(): Command[] {
  return [...sources].flatMap((s) => toValue(s))
}

export async function searchCommands(text: string, signal: AbortSignal): Promise<Command[]> {
  const found = await Promise.allSettled([...searches].map((s) => s(text, signal)))
  return found.flatMap((f) => (f.status === 'fulfilled' ? f.value : []))
}
