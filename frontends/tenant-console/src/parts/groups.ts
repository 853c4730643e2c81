/** Where groups are. */
import type { Group } from '../data'

/** The ways to a group from those at the top, such as "Engineering / Payments"; none where it is at the top itself. */
export function wayTo(group: Pick<Group, 'within'>): string[] {
  const chains = (group.within ?? []).map((chain) => chain.map((g) => g.name))
  const ids = (group.within ?? []).map((chain) => chain.map((g) => g.id).join(' '))
  return chains.filter((_, i) => !ids.some((other) => other.startsWith(`${ids[i]} `))).map((chain) => chain.reverse().join(' / '))
}

/** What a list of groups is asked for by what was typed: a way to them where it has a slash, a part of their names else. */
export function searchFor(text: string): { q?: string; path?: string } {
  if (!text.trim()) return {}
  return text.includes('/') ? { path: text.trim() } : { q: text }
}
