// One sign-in for all consoles by clicking, in a real browser against a real Gatehouse
// that was never set up: who signs in once is in the admin console, the tenant console,
// the auth console and the portal, and who signs out once is out of all of them. What
// people see on the way is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:onesignin -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, eventually, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const host = (url) => new URL(url).host
const browser = await open({ hosts: [at.console, at.tenant, at.portal, at.auth].map(host), refusals: true })
const { wrong } = browser
const look = looker('onesignin', shots, wrong)

try {
  const first = await browser.page()
  await setUp(first, at)
  await first.getByRole('button', { name: 'Finish set-up' }).click()
  await first.getByRole('link', { name: 'Start with your first API' }).first().waitFor()

  // Another browser comes to a page deep in the admin console, and signs in once.
  const page = await browser.page()
  await page.goto(`${at.console}/default/apis?q=pets#top`)
  await page.waitForURL((u) => u.host === host(at.auth) && u.pathname === '/sign-in')
  await page.getByText('You go on to the admin console.').first().waitFor()
  must((await page.getByRole('link', { name: 'Sign in at the admin console itself' }).getAttribute('href')) === `${at.console}/sign-in`, 'the console has no sign-in page of its own')
  await look(page, 'sign-in')
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[type=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL(`${at.console}/default/apis?q=pets#top`)
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor()

  // No other asks for a password; the portal shows its own pages until one needs a session.
  const context = page.context()
  const tenant = await context.newPage()
  await tenant.goto(`${at.tenant}/roles`)
  await tenant.getByRole('link', { name: 'Publisher' }).first().waitFor()
  const auth = await context.newPage()
  await auth.goto(`${at.auth}/auth/scopes`)
  await auth.getByText('No scopes yet').first().waitFor()
  const portal = await context.newPage()
  await portal.goto(`${at.portal}/apis`)
  await portal.getByRole('button', { name: 'Sign in', exact: true }).first().click()
  await portal.getByRole('link', { name: 'Applications' }).first().waitFor()
  must(portal.url() === `${at.portal}/apis`, `the portal went to ${portal.url()}`)
  await portal.goto(`${at.portal}/apps`)
  await portal.waitForURL(`${at.portal}/apps`)
  await portal.getByRole('heading', { level: 1 }).first().waitFor()
  process.stdout.write('ok one password for four\n')

  // Signing out once is enough, and nobody is signed in again by itself.
  await page.getByRole('button', { name: `Account of ${OWNER.name}` }).or(page.locator('header button[aria-haspopup=menu]').last()).last().click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL((u) => u.host === host(at.console) && u.pathname === '/sign-in')
  await page.getByText('You are signed out, here and in every console').first().waitFor()
  must((await page.getByRole('link', { name: 'Use the one sign-in for all consoles' }).getAttribute('href'))?.startsWith('/bff/oidc/begin'), 'there is no way to the one sign-in')
  await look(page, 'signed-out')
  await page.locator('input[type=email]').fill('somebody@example.com')
  must((await page.getByRole('link', { name: 'Use the one sign-in for all consoles' }).getAttribute('href')).endsWith('login_hint=somebody%40example.com'), 'the address is not passed on')
  // A page that is open notices when it asks for anything, and would come back to what was asked for.
  await eventually('the tenant console goes on', async () => {
    for (const name of ['Groups', 'Roles']) await tenant.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click({ timeout: 1000 }).catch(() => {})
    return { ok: host(tenant.url()) === host(at.auth), value: tenant.url() }
  })
  await tenant.waitForURL((u) => u.host === host(at.auth) && u.pathname === '/sign-in')
  await tenant.getByText('You go on to the tenant console.').first().waitFor()
  must((await tenant.locator('input[type=email]').inputValue()) === OWNER.email, 'whose session ended types in an address')
  await auth.goto(`${at.auth}/auth/scopes`)
  await auth.waitForURL((u) => u.host === host(at.auth) && u.pathname === '/sign-in')
  await portal.goto(`${at.portal}/apps`)
  await portal.waitForURL((u) => u.host === host(at.portal) && u.pathname === '/sign-in')
  await portal.goto(`${at.portal}/apis`)
  await portal.getByRole('button', { name: 'Sign in', exact: true }).first().click()
  await portal.waitForURL((u) => u.host === host(at.portal) && u.pathname === '/sign-in' && u.searchParams.get('next') === '/apis')
  await look(portal, 'portal-sign-in')
  process.stdout.write('ok out of four\n')

  // The page of a host lets people in where the one sign-in is not wanted; then it is that host alone.
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[type=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor()
  const fresh = await context.newPage()
  await fresh.goto(`${at.tenant}/roles`)
  await fresh.waitForURL((u) => u.host === host(at.auth) && u.pathname === '/sign-in')

  // Who goes back instead of signing in is not sent round in circles.
  await fresh.goto(`${at.tenant}/roles`)
  await fresh.waitForURL((u) => u.host === host(at.tenant) && u.pathname === '/sign-in')
  await look(fresh, 'sign-in-of-the-host')

  // What comes back that nobody asked for says so, and what to do.
  await fresh.goto(`${at.tenant}/bff/oidc/callback?state=x&code=y&iss=z`)
  await fresh.getByRole('alert').filter({ hasText: 'You are not signed in here' }).first().waitFor()
  await look(fresh, 'failed')
  await auth.goto(`${at.auth}/consent?request=gone&client=gatehouse-admin`)
  await auth.locator('input[type=email]').fill(OWNER.email)
  await auth.getByRole('button', { name: 'Continue', exact: true }).click()
  await auth.locator('input[type=password]').fill(OWNER.password)
  await auth.getByRole('button', { name: 'Sign in', exact: true }).click()
  await auth.getByRole('link', { name: 'Begin again' }).first().waitFor()
  await look(auth, 'request-gone')
  await auth.getByRole('link', { name: 'Begin again' }).click()
  await auth.waitForURL((u) => u.host === host(at.console))
} catch (error) {
  if (shots) await browser.pictures(shots)
  wrong.push(error.stack ?? String(error))
} finally {
  await browser.close()
}
if (wrong.length) {
  process.stderr.write(`${[...new Set(wrong)].join('\n')}\n`)
  process.exit(1)
}
