/**
 * Markdown of API documents as nodes: paragraphs, headings, lists, quotes, code,
 * tables, emphasis and links. HTML in it stays text, and links go to the web only,
 * so that a document brings nothing along that runs.
 */
import { h, type VNode } from 'vue'

type Children = (VNode | string)[]

const INLINE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|\b_([^_\s][^_]*)_\b|\[([^\]]+)\]\(([^)\s]+)(?:\s+"[^"]*")?\)|<(https?:\/\/[^>\s]+)>|(https?:\/\/[^\s<>)]+[^\s<>).,;:!?'"])/

/** Whether a link may be followed from a page. */
export function safeLink(address: string): boolean {
  return /^(https?:\/\/|mailto:|#)/i.test(address.trim())
}

function link(address: string, children: Children): VNode | string {
  if (!safeLink(address)) return h('span', children)
  const away = !address.startsWith('#')
  return h('a', { href: address, class: 'gh-link', ...(away ? { target: '_blank', rel: 'noopener noreferrer' } : {}) }, children)
}

export function inline(text: string): Children {
  const out: Children = []
  let rest = text
  while (rest !== '') {
    const m = INLINE.exec(rest)
    if (!m) break
    if (m.index > 0) out.push(rest.slice(0, m.index))
    const [whole, , code, strong1, strong2, em1, em2, label, target, angle, bare] = m
    if (code !== undefined) out.push(h('code', { class: 'rounded-sm bg-sunken px-1' }, code))
    else if (strong1 ?? strong2) out.push(h('strong', inline(strong1 ?? strong2 ?? '')))
    else if (em1 ?? em2) out.push(h('em', inline(em1 ?? em2 ?? '')))
    else if (label !== undefined) out.push(link(target ?? '', inline(label)))
    else out.push(link(angle ?? bare ?? '', [angle ?? bare ?? '']))
    rest = rest.slice(m.index + whole.length)
  }
  if (rest !== '') out.push(rest)
  return out
}

const FENCE = /^\s*(```|~~~)/
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/

/** `level` is that of the page's heading above: the document's begin one below. */
export function markdown(text: string, level = 2): VNode[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n')
  const out: VNode[] = []
  let i = 0
  const at = (n: number) => lines[n] ?? ''
  while (i < lines.length) {
    const line = at(i)
    if (line.trim() === '') {
      i++
      continue
    }
    if (FENCE.test(line)) {
      const code: string[] = []
      for (i++; i < lines.length && !FENCE.test(at(i)); i++) code.push(at(i))
      i++
      out.push(h('pre', { class: 'gh-panel overflow-x-auto px-3.5 py-2.5', tabindex: 0 }, h('code', code.join('\n'))))
      continue
    }
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)
    if (heading) {
      out.push(h(`h${Math.min(level + (heading[1] ?? '').length, 6)}`, { class: 'font-semibold' }, inline(heading[2] ?? '')))
      i++
      continue
    }
    if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      out.push(h('hr', { class: 'border-line' }))
      i++
      continue
    }
    if (line.startsWith('>')) {
      const quoted: string[] = []
      for (; i < lines.length && at(i).startsWith('>'); i++) quoted.push(at(i).replace(/^>\s?/, ''))
      out.push(h('blockquote', { class: 'border-s-2 border-line ps-4 text-soft' }, markdown(quoted.join('\n'), level)))
      continue
    }
    if (line.includes('|') && /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/.test(at(i + 1))) {
      const cells = (row: string) => row.trim().replace(/^\||\|$/g, '').split('|').map((c) => c.trim())
      const head = cells(line)
      const rows: string[][] = []
      for (i += 2; i < lines.length && at(i).includes('|'); i++) rows.push(cells(at(i)))
      out.push(h('div', { class: 'gh-panel overflow-x-auto' }, h('table', { class: 'gh-table' }, [
        h('thead', h('tr', head.map((c) => h('th', { scope: 'col' }, inline(c))))),
        h('tbody', rows.map((r) => h('tr', r.map((c) => h('td', inline(c)))))),
      ])))
      continue
    }
    const item = ITEM.exec(line)
    if (item) {
      const ordered = /\d/.test(item[2] ?? '')
      const indent = (item[1] ?? '').length
      const items: string[] = []
      for (; i < lines.length; i++) {
        const m = ITEM.exec(at(i))
        if (m && (m[1] ?? '').length <= indent) items.push(m[3] ?? '')
        else if (at(i).trim() === '' || !/^\s/.test(at(i))) break
        else items[items.length - 1] += `\n${at(i).slice(Math.min(indent + 2, at(i).search(/\S/)))}`
      }
      out.push(h(ordered ? 'ol' : 'ul', { class: ordered ? 'list-decimal space-y-1 ps-6' : 'list-disc space-y-1 ps-6' }, items.map((one) => h('li', one.includes('\n') ? markdown(one, level) : inline(one)))))
      continue
    }
    const words: string[] = []
    for (; i < lines.length && at(i).trim() !== '' && !FENCE.test(at(i)) && !/^(#{1,6}\s|>)/.test(at(i)) && !(words.length > 0 && ITEM.test(at(i))); i++) words.push(at(i).trim())
    out.push(h('p', inline(words.join(' '))))
  }
  return out
}
