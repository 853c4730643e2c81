/** Notices at the corner of the page, kept for as long as somebody needs to read them. */
import { reactive } from 'vue'

export interface Notice {
  id: number
  tone: 'live' | 'bad'
  title: string
  text?: string
  action?: { label: string; run: () => void }
}

export const notices = reactive<Notice[]>([])

let last = 0

/** Shows a notice; errors and those with a way back stay longer. */
export function show(notice: Omit<Notice, 'id'>) {
  const id = ++last
  notices.push({ ...notice, id })
  if (notices.length > 4) notices.shift()
  setTimeout(() => dismiss(id), notice.tone === 'bad' ? 12_000 : notice.action ? 10_000 : 5_000)
}

export function dismiss(id: number) {
  const at = notices.findIndex((n) => n.id === id)
  if (at >= 0) notices.splice(at, 1)
}
