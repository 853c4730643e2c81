/** The organization's own colour, made readable where it is not. */

type RGB = [number, number, number]

export function parse(colour: string): RGB | null {
  const m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)
  return m ? [parseInt(m[1]!, 16), parseInt(m[2]!, 16), parseInt(m[3]!, 16)] : null
}

const write = (c: RGB) => `#${c.map((v) => Math.round(Math.min(Math.max(v, 0), 255)).toString(16).padStart(2, '0')).join('')}`

function luminance(c: RGB): number {
  const [r, g, b] = c.map((v) => {
    const s = v / 255
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4
  }) as RGB
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** The contrast of two colours (WCAG 2.2). */
export function contrast(a: RGB, b: RGB): number {
  const [x, y] = [luminance(a), luminance(b)].sort((p, n) => n - p) as [number, number]
  return (x + 0.05) / (y + 0.05)
}

const mix = (a: RGB, b: RGB, share: number): RGB => a.map((v, i) => v + (b[i]! - v) * share) as RGB

const NEEDED = 5.4

/** The tokens that follow from a colour on a theme; null where it is no colour. */
export function tokens(colour: string, dark: boolean): Record<string, string> | null {
  const wanted = parse(colour)
  if (!wanted) return null
  const ground: RGB = dark ? [22, 26, 30] : [239, 239, 234]
  const away: RGB = dark ? [255, 255, 255] : [0, 0, 0]
  let accent = wanted
  for (let share = 0; share <= 1 && contrast(accent, ground) < NEEDED; share += 0.02) accent = mix(wanted, away, share)
  const on: RGB = contrast(accent, [255, 255, 255]) >= 4.5 ? [255, 255, 255] : [11, 16, 32]
  return {
    '--gh-accent': write(accent),
    '--gh-accent-hover': write(mix(accent, away, 0.2)),
    '--gh-accent-bg': write(mix(accent, dark ? [15, 18, 21] : [255, 255, 255], dark ? 0.86 : 0.9)),
    '--gh-on-accent': write(on),
  }
}

/** Puts the colour in force, or takes it away. */
export function applyAccent(colour: string, dark: boolean) {
  const values = tokens(colour, dark)
  for (const name of ['--gh-accent', '--gh-accent-hover', '--gh-accent-bg', '--gh-on-accent']) {
    if (values) document.documentElement.style.setProperty(name, values[name]!)
    else document.documentElement.style.removeProperty(name)
  }
}
