/**
 * Keeps the preferences of a browser and those of the server the same. What was
 * changed here since the server was last heard goes out, by key; everything else is
 * as the server has it. So two browsers agree, and what was changed without a
 * connection is not lost.
 */
import { ref, watch } from 'vue'
import { data, ProblemError, problemOf, session, tenantManager } from '@gatehouse/api'
import { changes, documentOf, isEmpty, onlyMissing, patched, preferencesFrom, type Document } from './preferenceChanges'
import { KEY, preferences, readAgain, stored } from './preferences'
import { show } from './notices'

const KNOWN = 'gatehouse.preferences.known'
/** How long a change waits for others, in milliseconds. */
const PAUSE = 800
/** After how long a page that is looked at again asks again, in milliseconds. */
const STALE = 15_000

/** Of whom the server was last heard, and what it had; null where this browser never heard it. */
interface Known {
  /** The id of the user; empty after signing out. */
  user: string
  document: Document
}

/** Whether the server was heard, or could not be: nothing waits for it any longer. */
export const preferencesLoaded = ref(false)

let known: Known | null = null
let user = ''
let heard = 0
let busy = false
let again = false
let timer: ReturnType<typeof setTimeout> | undefined
/** What came from elsewhere, and is not to be sent back. */
let taken = ''

function readKnown() {
  const value = stored(KNOWN) as Partial<Known>
  known = typeof value.user === 'string' && typeof value.document === 'object' && value.document !== null ? { user: value.user, document: value.document } : null
}

function know(next: Known) {
  known = next
  try {
    localStorage.setItem(KNOWN, JSON.stringify(next))
  } catch {
    // As with the preferences themselves.
  }
}

function take(document: Document) {
  Object.assign(preferences, preferencesFrom(document))
  taken = JSON.stringify(documentOf(preferences))
}

async function ask() {
  const { version: _, ...document } = await data(tenantManager.GET('/me/preferences'))
  return document as Document
}

async function tell(patch: Record<string, unknown>, keepalive: boolean) {
  const { version: _, ...document } = await data(tenantManager.PATCH('/me/preferences', { params: { header: { 'If-Match': '*' } }, body: patch, keepalive }))
  return document as Document
}

/** Hears the server; what was changed here stays changed, and goes out. */
async function load() {
  if (!user || busy) return
  busy = true
  const me = user
  try {
    const document = await ask()
    if (user !== me) return
    // A browser that kept preferences before the server did hands over what is missing there.
    const mine = known ? changes(known.document, preferences) : onlyMissing(changes({}, preferences), document)
    heard = Date.now()
    know({ user: me, document })
    take(patched(document, mine))
    if (!isEmpty(mine)) later()
  } catch {
    // The copy of this browser holds until the server answers.
  } finally {
    busy = false
    preferencesLoaded.value = true
    after()
  }
}

function after() {
  if (!again) return
  again = false
  later()
}

function later() {
  clearTimeout(timer)
  timer = setTimeout(() => void push(), PAUSE)
}

/** Sends what was changed. */
async function push(keepalive = false) {
  clearTimeout(timer)
  timer = undefined
  if (!user || known?.user !== user) return
  if (busy) {
    again = true
    return
  }
  const patch = changes(known.document, preferences)
  if (isEmpty(patch)) return
  busy = true
  const me = user
  const sent = documentOf(preferences, known.document)
  try {
    const document = await tell(patch, keepalive)
    if (user !== me) return
    const since = changes(sent, preferences) // while it was under way
    heard = Date.now()
    know({ user: me, document })
    take(patched(document, since))
    if (!isEmpty(since)) again = true
  } catch (error) {
    if (user === me && isRefused(error)) refused(error)
  } finally {
    busy = false
    after()
  }
}

/** Whether sending the same again would be refused again. */
function isRefused(error: unknown): error is ProblemError {
  return error instanceof ProblemError && [400, 403, 409, 413, 422].includes(error.status)
}

/** What the server does not take is taken back here too, and said. */
function refused(error: ProblemError) {
  const problem = problemOf(error)
  take(known!.document)
  show({ tone: 'bad', title: problem.title, ...(problem.detail ? { text: problem.detail } : {}) })
}

/** What is somebody's own leaves the browser; how the sign-in page looks stays. */
function leave() {
  const { theme, contrast, density, language } = preferences
  Object.assign(preferences, preferencesFrom({ theme, contrast, density, language }))
  know({ user: '', document: documentOf(preferences) })
}

/** Whose preferences these are: '' of nobody, null of somebody for whom another acts; undefined as long as that is not known. */
function whose(): string | null | undefined {
  const s = session.value
  if (!s.signedIn) return session.loaded || user ? '' : undefined
  return s.factorRequired || s.impersonation || !s.user ? null : s.user.id
}

function enter(id: string | null | undefined) {
  const before = user
  user = id ?? ''
  if (id === null) preferencesLoaded.value = true // nothing will be heard
  if (id === null || id === undefined) return
  readKnown()
  if (id === '') {
    if (before || known?.user) leave()
    preferencesLoaded.value = false
    return
  }
  if (known?.user && known.user !== id) leave()
  void load()
}

/** Keeps the preferences as those of whoever is signed in: once, from the app. */
export function followAccount() {
  readKnown()
  watch(whose, enter, { immediate: true })
  watch(preferences, () => {
    if (JSON.stringify(documentOf(preferences)) === taken) return
    taken = ''
    if (user) later()
  })
  addEventListener('storage', (e) => {
    if (e.key !== KEY && e.key !== KNOWN) return
    readKnown()
    readAgain()
    taken = JSON.stringify(documentOf(preferences))
  })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') {
      if (timer) void push(true)
    } else if (Date.now() - heard > STALE) void load()
  })
  addEventListener('online', () => void load())
}
