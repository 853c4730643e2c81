/** Which texts a program uses; for tests that none is missing. */

interface Tree {
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
