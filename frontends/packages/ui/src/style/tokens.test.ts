// @vitest-environment node
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

// The table of contrast that the design promises (WCAG 2.2: 4.5 for text, 3 for controls).

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')

function tokensOf(selector: string): Record<string, string> {
  const out: Record<string, string> = {}
  const at = css.indexOf(`${selector} {`)
  const block = css.slice(at, css.indexOf('}', at))
  for (const match of block.matchAll(/--gh-([\w-]+):\s*(#[0-9a-f]{6})/g)) out[match[1]!] = match[2]!
  return out
}

function luminance(hex: string): number {
  const channel = (i: number) => {
    const c = parseInt(hex.slice(1 + i * 2, 3 + i * 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

function contrast(a: string, b: string): number {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (hi + 0.05) / (lo + 0.05)
}

const themes = { light: tokensOf("[data-theme='light']"), dark: tokensOf("[data-theme='dark']") }

describe.each(Object.entries(themes))('contrast in the %s theme', (_, t) => {
  it('has every token', () => {
    expect(Object.keys(t).length).toBeGreaterThanOrEqual(28)
  })

  const grounds = ['canvas', 'surface', 'sunken']
  const texts = ['ink', 'muted', 'faint']
  it.each(texts.flatMap((text) => grounds.map((ground) => [text, ground])))('%s reads on %s', (text, ground) => {
    expect(contrast(t[text!]!, t[ground!]!)).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['accent', 'live', 'pend', 'warn', 'bad'].flatMap((tone) => ['canvas', 'surface', `${tone}-bg`].map((ground) => [tone, ground])))('%s reads on %s', (tone, ground) => {
    expect(contrast(t[tone!]!, t[ground!]!)).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['live-bg', 'pend-bg', 'warn-bg', 'bad-bg', 'accent-bg'])('ink reads on %s', (ground) => {
    expect(contrast(t.ink!, t[ground]!)).toBeGreaterThanOrEqual(7)
  })

  it.each(['accent', 'accent-hover', 'pend', 'bad'])('button text reads on %s', (ground) => {
    expect(contrast(t['on-accent']!, t[ground]!)).toBeGreaterThanOrEqual(4.5)
  })

  it.each(['canvas', 'surface'])('control borders are seen on %s', (ground) => {
    expect(contrast(t.field!, t[ground]!)).toBeGreaterThanOrEqual(3)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('chart colour %i is seen on a surface', (n) => {
    expect(contrast(t[`chart-${n}`]!, t.surface!)).toBeGreaterThanOrEqual(4.5)
  })
})
