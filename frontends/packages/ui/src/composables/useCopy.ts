import { ref } from 'vue'

/** Copies text; `copied` is true for two seconds afterwards. */
export function useCopy() {
  const copied = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  async function copy(text: string): Promise<boolean> {
    try {
      if (navigator.clipboard) await navigator.clipboard.writeText(text)
      else copyBySelection(text)
    } catch {
      if (!copyBySelection(text)) return false
    }
    copied.value = true
    clearTimeout(timer)
    timer = setTimeout(() => (copied.value = false), 2000)
    return true
  }
  return { copy, copied }
}

// Pages over plain HTTP on another host have no clipboard API.
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.setAttribute('readonly', '')
  area.className = 'gh-visually-hidden'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}
