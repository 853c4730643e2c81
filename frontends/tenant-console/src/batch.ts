/** The same done to many things: in parts, with what became of each, and tables of it. */
import { problemOf } from '@gatehouse/api'

export interface Batch<In, Out> {
  items: readonly In[]
  /** How many are sent at once. */
  size: number
  send: (part: In[]) => Promise<Out[]>
  /** What became of one whose part could not be sent, and why. */
  failed: (item: In, why: string) => Out
  /** Told after each part. */
  onPart: (results: Out[]) => void
  /** Asked before each part; true ends it, and the rest is as it was. */
  stopped: () => boolean
}

/** Sends part after part. A part that fails does not keep the others back. */
export async function runBatch<In, Out>(b: Batch<In, Out>): Promise<void> {
  for (let at = 0; at < b.items.length && !b.stopped(); at += b.size) {
    const part = b.items.slice(at, at + b.size)
    try {
      b.onPart(await b.send(part))
    } catch (error) {
      const p = problemOf(error)
      b.onPart(part.map((item) => b.failed(item, p.detail || p.title)))
    }
  }
}

/** Comma-separated values (RFC 4180), in which no spreadsheet finds a formula. */
export function toCsv(rows: readonly (readonly string[])[]): string {
  const cell = (v: string) => {
    const safe = /^[=+\-@\t\r\n]/.test(v) ? `'${v}` : v
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return rows.map((r) => r.map(cell).join(',') + '\r\n').join('')
}

/** Has the browser keep a text as a file. */
export function keepFile(name: string, text: string, type = 'text/csv') {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }))
  const a = document.createElement('a')
  a.href = url
  a.download = name
  a.click()
  URL.revokeObjectURL(url)
}
