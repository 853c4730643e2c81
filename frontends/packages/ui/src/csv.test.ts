import { expect, test } from 'vitest'
import { cellText, csvCell, csvLine, csvSafe } from './csv'

/** Reads one line as RFC 4180 says, to see what a spreadsheet would. */
function parse(text: string): string[][] {
  const rows: string[][] = [[]]
  let cell = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (quoted) {
      if (c !== '"') cell += c
      else if (text[i + 1] === '"') cell += text[++i]
      else quoted = false
    } else if (c === '"') {
      quoted = true
    } else if (c === ',' || (c === '\r' && text[i + 1] === '\n')) {
      rows.at(-1)!.push(cell)
      cell = ''
      if (c === '\r') {
        rows.push([])
        i++
      }
    } else cell += c
  }
  rows.pop()
  return rows
}

test('commas, quotes and line ends stay in their cell', () => {
  expect(csvLine(['a,b', 'say "no"', 'two\nlines', ' apart ', 5, ''])).toBe('"a,b","say ""no""","two\nlines"," apart ",5,\r\n')
  expect(csvLine([''])).toBe('""\r\n')
})

test('what would be a formula is a text, and a number stays one', () => {
  for (const evil of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠a', '=HYPERLINK("http://x";"y")']) expect(csvSafe(evil)).toBe(`'${evil}`)
  for (const plain of ['a=1', '1-2', 'lena@acme.example', '', '–']) expect(csvSafe(plain)).toBe(plain)
  expect(csvCell(-5)).toBe('-5')
  expect(csvCell(Number.NaN)).toBe('')
})

test('whatever is written is read as it was, and no cell begins a formula', () => {
  // A generator of its own, so that a failure can be repeated.
  let seed = 7
  const random = (n: number) => ((seed = (seed * 1103515245 + 12345) % 2147483648) >>> 8) % n
  const signs = [...'=+-@\t\r\n",; \'aé가😀|\\0＝', '\u2028', '\ufeff', '\u0000']
  for (let round = 0; round < 500; round++) {
    const rows = Array.from({ length: 1 + random(3) }, () => Array.from({ length: 1 + random(4) }, () => Array.from({ length: random(6) }, () => signs[random(signs.length)]!).join('')))
    const read = parse(rows.map(csvLine).join(''))
    expect(read).toEqual(rows.map((r) => r.map(csvSafe)))
    for (const cell of read.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
  }
})

test('a cell says what the screen shows, and times in full', () => {
  const at = (html: string) => {
    const cell = document.createElement('div')
    cell.innerHTML = html
    return cellText(cell)
  }
  expect(at('<time datetime="2026-01-02T03:04:05.000Z">3 hours ago</time>')).toBe('2026-01-02T03:04:05.000Z')
  expect(at('<span class="text-faint">–</span>')).toBe('')
  expect(at('<span>Lena</span><span class="block text-soft">by token ci</span>')).toBe('Lena by token ci')
  expect(at('<span class="inline-flex gap-1"><svg><title>x</title></svg><span class="gh-visually-hidden">User</span><a href="#">Lena</a></span> <button>Copy</button>')).toBe('Lena')
  expect(at('<span class="flex gap-3"><span>staging r2</span><span>production r1</span></span>')).toBe('staging r2 production r1')
  expect(at('<button>user.created</button>')).toBe('user.created')
  expect(at('2<span>xx</span>')).toBe('2xx')
})
