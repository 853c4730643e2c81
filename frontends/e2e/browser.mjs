/**
 * A browser that is watched: what it asks for, what its pages complain of, and
 * whether people with a screen reader or in the dark could use what it shows.
 */
import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const FLAGS = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** How long anything may take, in milliseconds, on a machine that does other things as well. */
export const PATIENCE = Number(process.env.GATEHOUSE_PATIENCE ?? 30_000)

/**
 * Starts Chromium with a fresh profile. hosts are the only ones that its pages may
 * ask. Each page is a window of its own: browsers hold up what happens in tabs
 * that nobody sees. refusals are those of a walk that is refused things on purpose.
 */
export async function open({ hosts, refusals = false, viewport = { width: 1440, height: 900 } }) {
  const browser = await chromium.launch({
    executablePath: process.env.GATEHOUSE_CHROMIUM || '/usr/bin/chromium',
    headless: true,
    chromiumSandbox: false,
    args: FLAGS,
  })
  const wrong = []
  return {
    wrong,
    /** A window of somebody whose browser has a language (BCP 47). */
    async page(locale = 'en-GB') {
      const context = await browser.newContext({ viewport, locale, timezoneId: 'UTC', reducedMotion: 'reduce', colorScheme: 'light' })
      await watch(context, hosts, refusals, wrong)
      return context.newPage()
    },
    /** Keeps a picture of every page, of a walk that failed. */
    async pictures(folder) {
      const pages = browser.contexts().flatMap((c) => c.pages())
      for (const [i, page] of pages.entries()) await page.screenshot({ path: `${folder}/failed-${i}.png` }).catch(() => {})
    },
    close: () => browser.close(),
  }
}

/** Notes what the pages of a context do that they must not. */
async function watch(context, hosts, refusals, wrong) {
  context.setDefaultTimeout(PATIENCE)
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (['data:', 'blob:'].includes(url.protocol)) return
    if (!hosts.includes(url.host)) wrong.push(`a page asked ${url.href}`)
  })
  context.on('weberror', (e) => wrong.push(`an error in a page: ${e.error().stack ?? e.error()}`))
  context.on('console', (message) => {
    if (message.type() !== 'error') return
    if (refusals && /status of 4\d\d/.test(message.text())) return
    const at = message.location().url
    // A record is asked for until it has arrived; browsers report each 404.
    if (/status of 404/.test(message.text()) && /\/(explain|requests)\/[^/]+$/.test(at)) return
    wrong.push(`the console of ${message.page()?.url()} says: ${message.text()} (${at})`)
  })
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`content security policy: ${e.violatedDirective} refused ${e.blockedURI || 'inline'} at ${e.sourceFile ?? ''}:${e.lineNumber}`))
  })
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/**
 * Looks at a page as it is, in the light and in the dark, and returns what axe
 * finds wrong with it, as text.
 */
export async function inspect(page) {
  const found = []
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    await still(page)
    if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
    const violations = await page.evaluate(async () => {
      const result = await globalThis.axe.run(document, {
        preload: false,
        resultTypes: ['violations'],
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      })
      return result.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 4).map((n) => `${n.target.join(' ')}\n      ${n.html.slice(0, 240)}\n      ${(n.failureSummary ?? '').replace(/\s+/g, ' ').slice(0, 300)}`) }))
    })
    for (const v of violations) found.push(`${new URL(page.url()).host}${new URL(page.url()).pathname} (${colorScheme}): ${v.id}, ${v.impact}: ${v.help}\n    ${v.nodes.join('\n    ')}`)
  }
  return found
}

/** Returns how a walk looks at a screen: what axe finds goes to wrong, pictures to the folder shots where there is one. */
export function looker(walk, shots, wrong) {
  if (shots) mkdirSync(shots, { recursive: true })
  let step = 0
  return async (page, name) => {
    step++
    wrong.push(...(await inspect(page)))
    for (const colorScheme of shots ? ['dark', 'light'] : []) {
      await page.emulateMedia({ colorScheme })
      await still(page)
      await page.screenshot({ path: `${shots}/${walk}-${String(step).padStart(2, '0')}-${name}-${colorScheme}.png`, fullPage: true })
    }
    process.stdout.write(`ok ${name}\n`)
  }
}

/** Keeps pictures of a screen as it is: in the light and in the dark, on a desk and on a phone. */
export async function pictures(page, folder, name) {
  mkdirSync(folder, { recursive: true })
  const desk = page.viewportSize()
  for (const [on, size] of [['desk', desk], ['phone', { width: 390, height: 844 }]]) {
    await page.setViewportSize(size)
    for (const colorScheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme })
      await still(page)
      await page.screenshot({ path: `${folder}/${name}-${on}-${colorScheme}.png`, fullPage: true })
    }
  }
  await page.setViewportSize(desk)
}

/** Waits until a page says what it is, has what it asked for, and nothing on it moves any more. */
export async function still(page) {
  await page.waitForFunction(() => document.querySelector('h1') && ![...document.querySelectorAll('main [role=status]')].some((s) => s.textContent.includes('Loading')))
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
    const finite = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity && a.playState === 'running')
    await Promise.allSettled(finite.map((a) => a.finished))
  })
}
