/** A line diff (Myers' greedy algorithm), made for configuration of some thousand lines. */

export type DiffLine =
  | { kind: 'same' | 'add' | 'del'; text: string }
  | { kind: 'fold'; count: number }

type Plain = Exclude<DiffLine, { kind: 'fold' }>

export function diffLines(before: string, after: string): Plain[] {
  const a = before === '' ? [] : before.replace(/\n$/, '').split('\n')
  const b = after === '' ? [] : after.replace(/\n$/, '').split('\n')
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const same = (from: number, to: number): Plain[] => a.slice(from, to).map((text) => ({ kind: 'same', text }))
  return [...same(0, head), ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)), ...same(a.length - tail, a.length)]
}

// Beyond this many edits the middle is shown as replaced: nobody reads such a diff.
const MOST_EDITS = 2000

function middle(a: string[], b: string[]): Plain[] {
  const max = Math.min(a.length + b.length, MOST_EDITS)
  const trace: Map<number, number>[] = []
  const v = new Map<number, number>([[1, 0]])
  for (let d = 0; d <= max; d++) {
    trace.push(new Map(v))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1))
      let x = down ? (v.get(k + 1) ?? 0) : (v.get(k - 1) ?? 0) + 1
      let y = x - k
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++
        y++
      }
      v.set(k, x)
      if (x >= a.length && y >= b.length) return walkBack(a, b, trace, d)
    }
  }
  return [...a.map((text): Plain => ({ kind: 'del', text })), ...b.map((text): Plain => ({ kind: 'add', text }))]
}

function walkBack(a: string[], b: string[], trace: Map<number, number>[], edits: number): Plain[] {
  const out: Plain[] = []
  let x = a.length
  let y = b.length
  for (let d = edits; d > 0; d--) {
    const v = trace[d]!
    const k = x - y
    const down = k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1))
    const fromK = down ? k + 1 : k - 1
    const fromX = v.get(fromK) ?? 0
    const fromY = fromX - fromK
    while (x > fromX && y > fromY && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      out.push({ kind: 'same', text: a[--x]! })
      y--
    }
    if (down) out.push({ kind: 'add', text: b[--y]! })
    else out.push({ kind: 'del', text: a[--x]! })
  }
  while (x > 0 && y > 0) {
    out.push({ kind: 'same', text: a[--x]! })
    y--
  }
  return out.reverse()
}

/** Folds runs of equal lines, keeping some on either side of each change. */
export function foldLines(lines: readonly Plain[], keep: number): DiffLine[] {
  const near = new Array<boolean>(lines.length).fill(false)
  lines.forEach((line, i) => {
    if (line.kind === 'same') return
    for (let j = Math.max(0, i - keep); j <= Math.min(lines.length - 1, i + keep); j++) near[j] = true
  })
  const out: DiffLine[] = []
  let folded = 0
  lines.forEach((line, i) => {
    if (near[i]) {
      if (folded) out.push({ kind: 'fold', count: folded })
      folded = 0
      out.push(line)
    } else folded++
  })
  if (folded) out.push({ kind: 'fold', count: folded })
  return out
}
