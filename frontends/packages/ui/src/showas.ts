/**
 * What the same thing is on a command line: as calls with curl, as commands of
 * gatehouse, and as a manifest. A secret is never in it, and a token is named.
 */

/** A word as a POSIX shell reads it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The path of a call as `gatehouse request` takes it: /SERVICE/…, without the page. */
export function requestPath(address: string): string {
  const url = new URL(address, 'http://localhost')
  for (const page of ['limit', 'cursor']) url.searchParams.delete(page)
  return url.pathname.replace(/^\/api\/([^/]+)\/v1\//, '/$1/') + url.search
}

/** The command that writes every row of a list as CSV. */
export function requestCommand(address: string): string {
  return `gatehouse request GET ${shellWord(requestPath(address))} --all --csv`
}
