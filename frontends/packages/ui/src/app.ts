/** Starts an app: preferences, languages, data, icons, router. */
import { addAPIProvider } from '@iconify/vue'
import ui from '@nuxt/ui/vue-plugin'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from 'vue-router'
import { endSession, loadSession, ProblemError, problemOf, session, takeImpersonation, whenSignedOut } from '@gatehouse/api'
import GhRoot from './GhRoot.vue'
import { makeI18n, type Language, type Texts } from './i18n'
import { show } from './notices'
import { followAnswers } from './answers'
import { guardUnsaved, unsaved } from './composables/unsaved'
import { hasSession, oneSignIn } from './onesignin'
import { followPreferences } from './preferences'
import { followAccount } from './preferenceSync'

declare module 'vue-router' {
  interface RouteMeta {
    /** Shown without being signed in. */
    open?: boolean
    /** The permission that the page takes. */
    permission?: string
  }
}

export interface AppOptions {
  routes: RouteRecordRaw[]
  texts: Texts
  /** The languages beside English. */
  languages?: Partial<Record<string, Language>>
  /** Where those go who are not signed in. */
  signIn?: string
  /** Pages are open unless they say `open: false`; for the portal. */
  openByDefault?: boolean
}

export async function startApp(options: AppOptions): Promise<Router> {
  followPreferences()
  followAccount()
  // All icons are in the bundle. One that is not must not be asked for anywhere.
  addAPIProvider('', { resources: [] })

  let refused = false // what went wrong is to be read here
  try {
    await takeImpersonation()
  } catch (error) {
    refused = true
    const problem = problemOf(error)
    show({ tone: 'bad', title: problem.title, ...(problem.detail ? { text: problem.detail } : {}) })
  }

  const signInPath = options.signIn ?? '/sign-in'
  const router = createRouter({
    history: createWebHistory(),
    routes: options.routes,
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? {} : { top: 0 }),
  })
  guardUnsaved(router)
  followAnswers(document)
  const queries = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (count, error) => !(error instanceof ProblemError && error.status >= 400 && error.status < 500) && count < 2,
      },
    },
  })
  router.beforeEach(async (to) => {
    if (!session.loaded) {
      try {
        await loadSession()
      } catch {
        // Shown as "cannot be reached" by the page that needs it.
      }
    }
    const open = to.meta.open ?? options.openByDefault ?? false
    if (session.value.signedIn) hasSession()
    if (!open && !session.value.signedIn) {
      const away = refused ? null : oneSignIn(session.value, to.fullPath, { silent: options.openByDefault })
      if (away) return leave(away)
      return { path: signInPath, query: to.fullPath === '/' ? {} : { next: to.fullPath } }
    }
    if (session.value.signedIn && session.value.factorRequired && to.path !== signInPath) return { path: signInPath, query: { next: to.fullPath } }
    return true
  })
  whenSignedOut(() => {
    if (!session.value.signedIn) return
    const email = session.value.impersonation ? undefined : session.value.user?.email
    endSession()
    queries.clear()
    const at = router.currentRoute.value
    if (at.meta.open ?? options.openByDefault) return
    const here = () => router.replace({ path: signInPath, query: { next: at.fullPath } })
    if (unsaved()) return void here() // it asks first
    void loadSession().catch(() => null).then(() => {
      const away = oneSignIn(session.value, at.fullPath, { silent: options.openByDefault, email })
      return away ? leave(away) : here()
    })
  })

  const app = createApp(GhRoot)
  app.use(router)
  app.use(await makeI18n(options.texts, options.languages))
  app.use(VueQueryPlugin, { queryClient: queries })
  app.use(ui)
  await router.isReady().catch(() => {})
  app.mount('#app')
  return router
}

/**
 * Leaves the app for an address, to come back: until the browser has left nothing else happens. What the browser goes back to is the page before, or
 * this one where it stays in the history.
 */
function leave(address: string, stays = false): Promise<never> {
  if (stays) location.assign(address)
  else location.replace(address)
  return new Promise(() => {})
}

/**
 * Signs somebody in who asks for it on a page that everybody sees, and comes back to a path of this app: who is signed in already is asked nothing,
 * and everybody else gets the sign-in page of this host.
 */
export async function askToSignIn(router: Router, next: string) {
  const away = oneSignIn(session.value, next, { silent: true })
  if (away) return leave(away, true)
  await router.push({ path: '/sign-in', query: next === '/' ? {} : { next } })
}

/** Where to go after signing in: a path of this app only. */
export function nextPath(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}
