import { flushPromises } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Document } from './preferenceChanges'

type Patch = Record<string, unknown>
/** A server with the documents of people; what it is asked is noted. */
const server = { documents: {} as Record<string, Document>, patches: [] as Patch[], down: false, refuses: false, user: 'ada' }

beforeEach(() => {
  vi.resetModules()
  vi.useFakeTimers()
  localStorage.clear()
  Object.assign(server, { documents: {}, patches: [], down: false, refuses: false, user: 'ada' })
})
afterEach(() => vi.useRealTimers())

/** A browser that is opened, with the session and what it keeps. */
async function open() {
  const { reactive } = await import('vue')
  const session = reactive<{ loaded: boolean; value: { signedIn: boolean; user?: { id: string }; impersonation?: object } }>({ loaded: false, value: { signedIn: false } })
  const real = await vi.importActual<typeof import('@gatehouse/api')>('@gatehouse/api')
  const { patched } = await import('./preferenceChanges')
  const answer = () => {
    if (server.down) return Promise.reject(new real.ProblemError(real.toProblem(null, 0)))
    return Promise.resolve({ data: { version: 1, ...server.documents[server.user] }, response: new Response() })
  }
  vi.doMock('@gatehouse/api', () => ({
    ...real,
    session,
    tenantManager: {
      GET: answer,
      PATCH: (_: string, { body }: { body: Patch }) => {
        if (server.refuses) return Promise.reject(new real.ProblemError(real.toProblem({ title: 'No' }, 422)))
        if (!server.down) {
          server.patches.push(body)
          server.documents[server.user] = patched(server.documents[server.user] ?? {}, body)
        }
        return answer()
      },
    },
  }))
  const { followPreferences, preferences } = await import('./preferences')
  const { followAccount, preferencesLoaded } = await import('./preferenceSync')
  const { notices } = await import('./notices')
  followPreferences()
  followAccount()
  const settle = async () => {
    await flushPromises()
    await vi.advanceTimersByTimeAsync(1000)
    await flushPromises()
  }
  return {
    preferences, preferencesLoaded, notices, settle,
    async signIn(id: string, impersonation?: object) {
      server.user = id
      session.value = { signedIn: true, user: { id }, ...(impersonation ? { impersonation } : {}) }
      await settle()
    },
    async signOut() {
      session.value = { signedIn: false }
      await settle()
    },
  }
}

describe('preferences and the server', () => {
  it('are taken from the server, which wins; what it lacks is handed over once', async () => {
    localStorage.setItem('gatehouse.preferences', JSON.stringify({ theme: 'dark', utc: true }))
    server.documents.ada = { theme: 'light' }
    const a = await open()
    await a.signIn('ada')
    expect(a.preferences.theme).toBe('light')
    expect(server.patches).toEqual([{ utc: true }])
    expect(a.preferencesLoaded.value).toBe(true)
  })

  it('go out together after a moment, by key, and nothing comes back', async () => {
    const a = await open()
    await a.signIn('ada')
    a.preferences.theme = 'dark'
    a.preferences.navCollapsed = true
    await a.settle()
    a.preferences.lists.users = { columns: ['email'] }
    await a.settle()
    await a.settle()
    expect(server.patches).toEqual([{ theme: 'dark', navCollapsed: true }, { lists: { users: { columns: ['email'] } } }])
  })

  it('that were changed without a connection survive, also being closed', async () => {
    server.documents.ada = { density: 'compact' }
    const a = await open()
    await a.signIn('ada')
    server.down = true
    a.preferences.theme = 'dark'
    await a.settle()
    expect(server.patches).toEqual([])
    vi.resetModules()
    server.down = false
    server.documents.ada = { density: 'compact', utc: true } // elsewhere, meanwhile
    const b = await open()
    expect(b.preferences.theme).toBe('dark')
    await b.signIn('ada')
    expect(server.documents.ada).toEqual({ density: 'compact', utc: true, theme: 'dark' })
    expect(b.preferences.utc).toBe(true)
  })

  it('leave the browser with whoever signs out, but for how it looks', async () => {
    const a = await open()
    await a.signIn('ada')
    Object.assign(a.preferences, { theme: 'dark', utc: true, lists: { users: { views: { v: { name: 'Suspects', query: 'eve' } } } } })
    await a.settle()
    await a.signOut()
    expect(a.preferences).toMatchObject({ theme: 'dark', utc: false, lists: {} })
    expect(JSON.stringify({ ...localStorage })).not.toContain('Suspects')
    const sent = server.patches.length
    await a.signIn('bob')
    expect(a.preferences).toMatchObject({ theme: 'system', lists: {} })
    expect(server.patches).toHaveLength(sent)
    expect(server.documents.bob).toBeUndefined()
  })

  it('of somebody else are neither read nor changed by who acts as them', async () => {
    server.documents.vic = { theme: 'dark' }
    const a = await open()
    await a.signIn('vic', { until: 'soon' })
    a.preferences.utc = true
    await a.settle()
    expect(a.preferences.theme).toBe('system')
    expect(server.patches).toEqual([])
    expect(a.preferencesLoaded.value).toBe(true)
  })

  it('that the server refuses are taken back, and that is said', async () => {
    const a = await open()
    await a.signIn('ada')
    server.refuses = true
    a.preferences.lists.users = { columns: ['email'] }
    await a.settle()
    expect(a.preferences.lists).toEqual({})
    expect(a.notices.map((n) => n.tone)).toEqual(['bad'])
  })

  it('of two tabs are the same', async () => {
    const a = await open()
    await a.signIn('ada')
    localStorage.setItem('gatehouse.preferences', JSON.stringify({ theme: 'dark' }))
    dispatchEvent(new StorageEvent('storage', { key: 'gatehouse.preferences' }))
    await a.settle()
    expect(a.preferences.theme).toBe('dark')
    expect(server.patches).toEqual([]) // the other tab sends it
  })
})
