/** Texts as data: putting them together, and what a test asks of them. */

export interface Tree {
  [key: string]: string | Tree
}

export function keysOf(tree: Tree, prefix = ''): Set<string> {
  const out = new Set<string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') out.add(prefix + key)
    else for (const inner of keysOf(value, `${prefix}${key}.`)) out.add(inner)
  }
  return out
}

/** Keys in t('…'), and beginnings in t(`….${x}`), that no text has. */
export function missingKeys(sources: string[], known: Set<string>): string[] {
  const out = new Set<string>()
  for (const source of sources) {
    for (const match of source.matchAll(/\bt\(\s*'([\w.-]+)'/g)) if (!known.has(match[1]!)) out.add(match[1]!)
    for (const match of source.matchAll(/\bt\(\s*`([\w.-]*)\$\{/g)) {
      const beginning = match[1]!
      if (![...known].some((k) => k.startsWith(beginning))) out.add(`${beginning}…`)
    }
  }
  return [...out].sort()
}

/** Puts texts together; what comes later is added within what is there. */
export function mergeTexts(...trees: Tree[]): Tree {
  const out: Tree = {}
  for (const tree of trees) {
    for (const [key, value] of Object.entries(tree)) {
      const there = out[key]
      out[key] = typeof value === 'object' && typeof there === 'object' ? mergeTexts(there, value) : value
    }
  }
  return out
}

/** All texts by their keys. */
export function entriesOf(tree: Tree, prefix = ''): Map<string, string> {
  const out = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') out.set(prefix + key, value)
    else for (const [inner, text] of entriesOf(value, `${prefix}${key}.`)) out.set(inner, text)
  }
  return out
}

/** Literals such as {'@'} hide signs that mean something in a text. */
const plain = (text: string) => text.replace(/\{'[^']*'\}/g, '')
const formsOf = (text: string) => plain(text).split('|').length
const placesOf = (text: string) => [...new Set([...plain(text).matchAll(/\{(\w+)\}/g)].map((m) => m[1]!))].sort().join(' ')

/** How many plural forms a language has for an English text of one, two (one, many) or three (none, one, many). */
export const pluralForms: Record<string, (english: number) => number[]> = {
  de: (english) => [english],
  ko: (english) => (english === 3 ? [1, 2] : [1]),
}

export interface Comparison {
  /** Keys that English has and the language has not; they are shown in English. */
  missing: string[]
  /** Keys that English has not. */
  unknown: string[]
  empty: string[]
  /** Keys whose text has other placeholders than the English one. */
  places: string[]
  /** Keys whose text has another number of plural forms than the language has. */
  forms: string[]
}

/** What is wrong with the texts of a language, against the English ones. */
export function compareTexts(english: Tree, other: Tree, code: string): Comparison {
  const en = entriesOf(english)
  const own = entriesOf(other)
  const both = [...own].filter(([key]) => en.has(key))
  return {
    missing: [...en.keys()].filter((key) => !own.has(key)),
    unknown: [...own.keys()].filter((key) => !en.has(key)),
    empty: [...own].filter(([, text]) => !text.trim()).map(([key]) => key),
    places: both.filter(([key, text]) => placesOf(text) !== placesOf(en.get(key)!)).map(([key]) => key),
    forms: both.filter(([key, text]) => !(pluralForms[code] ?? ((n) => [n]))(formsOf(en.get(key)!)).includes(formsOf(text))).map(([key]) => key),
  }
}
