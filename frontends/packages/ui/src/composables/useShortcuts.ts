/** Single keys and sequences ("g a"), off inside inputs and when turned off. */
import { onBeforeUnmount, onMounted } from 'vue'
import { preferences } from '../preferences'

export type Shortcuts = Record<string, (event: KeyboardEvent) => void>

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) || target.closest('[role=dialog],[role=menu],[role=listbox]') !== null
}

/**
 * Keys are written as "j", "g a", "ctrl+k". Those with ctrl work everywhere and
 * stand for the command key on a Mac as well.
 */
export function useShortcuts(shortcuts: Shortcuts) {
  let first = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  function onKey(event: KeyboardEvent) {
    if (event.defaultPrevented || event.altKey) return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key.toLowerCase()
    if (event.ctrlKey || event.metaKey) {
      const run = shortcuts[`ctrl+${key}`]
      if (run) {
        event.preventDefault()
        run(event)
      }
      return
    }
    if (!preferences.shortcuts || typing(event.target)) return
    const sequence = first ? `${first} ${key}` : key
    first = ''
    clearTimeout(timer)
    const run = shortcuts[sequence]
    if (run) {
      event.preventDefault()
      run(event)
      return
    }
    if (Object.keys(shortcuts).some((s) => s.startsWith(`${key} `))) {
      first = key
      timer = setTimeout(() => (first = ''), 1000)
    }
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => {
    clearTimeout(timer)
    window.removeEventListener('keydown', onKey)
  })
}
