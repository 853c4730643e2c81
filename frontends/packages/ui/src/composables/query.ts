/** The language of query bars: words, and filters as name:value. */

export interface ParsedQuery {
  /** The words outside filters. */
  text: string
  filters: Record<string, string>
}

/** Values with spaces stand in quotation marks: owner:"Lena K". */
export function parseQuery(query: string, known: readonly string[]): ParsedQuery {
  const filters: Record<string, string> = {}
  const words: string[] = []
  for (const match of query.matchAll(/(?:([\w-]+):)?(?:"([^"]*)"|(\S+))/g)) {
    const [, name, quoted, plain] = match
    const value = quoted ?? plain ?? ''
    if (name && known.includes(name)) filters[name] = value
    else words.push(name ? `${name}:${value}` : value)
  }
  return { text: words.join(' '), filters }
}

/** Puts a filter into a query, in place of the one that is there. */
export function withFilter(query: string, name: string, value: string): string {
  const rest = query.replace(new RegExp(`(^|\\s)${name}:("[^"]*"|\\S*)`, 'g'), ' ').replace(/\s+/g, ' ').trim()
  if (value === '') return rest
  const filter = `${name}:${/\s/.test(value) ? `"${value}"` : value}`
  return rest === '' ? filter : `${rest} ${filter}`
}

export interface Suggestion {
  label: string
  query: string
}

/** What could be typed next, by what stands before the caret's end. */
export function suggest(query: string, filters: Record<string, readonly string[]>): Suggestion[] {
  const last = /(\S*)$/.exec(query)?.[1] ?? ''
  const head = query.slice(0, query.length - last.length)
  const colon = last.indexOf(':')
  if (colon > 0) {
    const name = last.slice(0, colon)
    const typed = last.slice(colon + 1).toLowerCase()
    return (filters[name] ?? [])
      .filter((v) => v.toLowerCase().startsWith(typed) && v.toLowerCase() !== typed)
      .map((v) => ({ label: `${name}:${v}`, query: `${head}${name}:${/\s/.test(v) ? `"${v}"` : v} ` }))
  }
  return Object.keys(filters)
    .filter((name) => name.startsWith(last.toLowerCase()))
    .map((name) => ({ label: `${name}:`, query: `${head}${name}:` }))
}
