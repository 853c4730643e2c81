/** What a new password lacks, as far as it can be told while it is typed; the server decides. */

export type Lack = 'length' | 'simple' | 'own'

/** The shortest that any organization accepts. */
export const SHORTEST = 10
const DIFFERENT = 5
const SHORT_WORD = 4

/** Words of which a password of one's own is not made: names and parts of addresses. */
function words(about: readonly (string | undefined)[]): string[] {
  return about.flatMap((a) => (a ?? '').toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((w) => [...w].length >= SHORT_WORD)
}

/** What is missing of a password; `about` are the person's name, address and organization. */
export function lacks(password: string, shortest: number, about: readonly (string | undefined)[] = []): Lack[] {
  const folded = password.toLowerCase()
  const rest = words(about).reduce((left, word) => left.split(word).join(''), folded)
  return [
    ...([...password].length < shortest ? (['length'] as const) : []),
    ...(new Set(folded).size < DIFFERENT ? (['simple'] as const) : []),
    ...(rest !== folded && [...rest].length < SHORT_WORD ? (['own'] as const) : []),
  ]
}

/** How many characters are still to come. */
export function toCome(password: string, shortest: number): number {
  return Math.max(0, shortest - [...password].length)
}
