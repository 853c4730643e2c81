/**
 * Tables as comma-separated values (RFC 4180), as spreadsheets read them. The
 * server writes its own in the same way.
 */

/**
 * What stands in front of every file: without it, Excel reads UTF-8 as the code
 * page of the machine, and every umlaut and every Korean letter is lost. The other
 * readers, our import among them, leave it out.
 */
export const CSV_MARK = '\ufeff'

/** What a spreadsheet takes for the beginning of a formula (OWASP: CSV injection). */
const FORMULA = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/

/** A text as no spreadsheet takes it for a formula: with an apostrophe in front. */
export function csvSafe(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}

/** A value as a cell. A number is as it is: no number is a formula. */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  const text = csvSafe(value)
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Values as a line, with its end. */
export function csvLine(values: readonly (string | number)[]): string {
  // A line of one empty cell would be an empty line, which readers leave out.
  if (values.length === 1 && values[0] === '') return '""\r\n'
  return `${values.map(csvCell).join(',')}\r\n`
}

const APART = /(^|\s)(block|flex|grid|inline-flex|inline-grid|list-item)(\s|$)/
const BLOCKS = new Set(['DIV', 'P', 'LI', 'UL', 'OL', 'DL', 'DT', 'DD', 'BR', 'TR', 'TD', 'SECTION'])
const UNREAD = new Set(['SVG', 'INPUT', 'SELECT', 'TEXTAREA', 'SCRIPT', 'STYLE', 'TEMPLATE'])

function read(node: Node, buttons: boolean): string {
  if (node.nodeType === 3) return node.textContent ?? ''
  if (node.nodeType !== 1) return ''
  const element = node as Element
  const tag = element.tagName.toUpperCase()
  const names = element.getAttribute('class') ?? ''
  // What is only there on narrow screens says what a column says that is left out there.
  if (UNREAD.has(tag) || element.hasAttribute('data-narrow') || /(^|\s)gh-visually-hidden(\s|$)/.test(names)) return ''
  if (tag === 'BUTTON' && !buttons) return ''
  if (tag === 'TIME') return element.getAttribute('datetime') ?? element.textContent ?? ''
  const flows = APART.test(names)
  const parts = [...element.childNodes].map((child) => (flows && child.nodeType === 1 ? ` ${read(child, buttons)} ` : read(child, buttons)))
  const text = parts.join('')
  return flows || BLOCKS.has(tag) ? ` ${text} ` : text
}

/**
 * What a cell on the screen says: its words, times in full (RFC 3339, UTC) and not
 * "3 hours ago", without what is only pressed or only heard. A dash says nothing.
 */
export function cellText(element: Element): string {
  const tidy = (text: string) => text.replace(/\s+/g, ' ').trim()
  const text = tidy(read(element, false)) || tidy(read(element, true))
  return text === '–' || text === '—' ? '' : text
}
