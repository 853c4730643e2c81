// Single sign-on by clicking, in a real browser against a real Gatehouse that was
// never set up, and a certified OpenID Connect provider: a connection, a test
// sign-in, and somebody new who signs in. Every screen is checked with axe in both
// themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:sso -- ready.json [folder for screenshots]
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)

const folder = execFileSync(fileURLToPath(new URL('../../deploy/oidc-provider/fetch', import.meta.url)), { encoding: 'utf8' }).trim()
const provider = spawn(process.execPath, [
  `${folder}/provider.mjs`,
  JSON.stringify({
    clients: [{ client_id: 'gatehouse', client_secret: 'a client secret', redirect_uris: [at.auth, at.tenant].map((u) => `${new URL(u).origin}/bff/sso/callback/*`), post_logout_redirect_uris: [at.auth, at.tenant].map((u) => `${new URL(u).origin}/bff/sso/signed-out`), scope: 'openid email profile groups' }],
    accounts: { eve: { email: 'eve@acme.example', email_verified: true, name: 'Eve Larsen', groups: ['API team', 'Berlin'] } },
  }),
], { stdio: ['pipe', 'pipe', 'inherit'] })
const issuer = String((await once(provider.stdout, 'data'))[0]).trim()

const browser = await open({ hosts: [at.console, at.tenant, at.auth, issuer].map((u) => new URL(u).host) })
const wrong = browser.wrong
const look = looker('sso', shots, wrong)
/** Signs in at the provider's own pages. */
async function atProvider(page) {
  await page.locator('input[name=login]').fill('eve')
  await page.locator('input[name=password]').fill('any')
  await page.locator('button[type=submit]').click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/sso`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('No identity provider is connected').first().waitFor()
  await look(page, 'none')

  await page.getByRole('link', { name: 'New connection' }).first().click()
  await page.getByLabel('Kind').click()
  await page.getByRole('option', { name: 'Other OpenID Connect' }).click()
  await page.locator('input[name=name]').fill('Acme ID')
  await page.locator('input[name=issuer]').fill(issuer)
  await page.locator('input[name=clientId]').fill('gatehouse')
  await page.locator('input[name=clientSecret]').fill('a client secret')
  await page.getByPlaceholder('acme.example').fill('acme.example')
  await page.getByPlaceholder('acme.example').press('Enter')
  await page.getByLabel('Make a user of who signs in for the first time').click()
  await page.getByRole('button', { name: 'Add a group' }).click()
  await page.getByLabel('Group 1', { exact: true }).fill('API team')
  await page.getByLabel('Role of group 1').click()
  await page.getByRole('option', { name: 'Administrator', exact: true }).click()
  const scopes = page.getByRole('textbox').last()
  await scopes.fill('groups')
  await scopes.press('Enter')
  await look(page, 'new')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.waitForURL((u) => /^\/sso\/[^/]+$/.test(u.pathname) && !u.pathname.endsWith('/new'))

  const opened = page.waitForEvent('popup')
  await page.getByRole('button', { name: 'Test sign-in' }).click()
  const tab = await opened
  await atProvider(tab)
  await tab.getByText('A user is made of this person').first().waitFor()
  for (const text of ['eve@acme.example', 'API team, Berlin', 'Administrator']) await tab.getByText(text).first().waitFor()
  await look(tab, 'test')
  await tab.close()
  await page.getByLabel('People can sign in with it').click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('The connection is saved').last().waitFor()
  await look(page, 'connection')
  await page.goto(`${at.tenant}/sso`)
  await page.getByRole('link', { name: 'Acme ID' }).first().waitFor()
  await look(page, 'list')

  // Somebody else, in another browser.
  const eve = await browser.page()
  await eve.goto(`${at.tenant}/users`)
  await eve.locator('input[type=email]').fill('eve@acme.example')
  await eve.getByRole('button', { name: 'Continue', exact: true }).click()
  await eve.getByRole('button', { name: 'Continue with Acme ID' }).first().waitFor()
  await look(eve, 'identified')
  await eve.getByRole('button', { name: 'Continue with Acme ID' }).click()
  await atProvider(eve)
  await eve.waitForURL(`${at.tenant}/users`)
  await eve.getByText('Eve Larsen').first().waitFor()
  process.stdout.write('ok signed in\n')

  // What another role of the group would change is seen before it is saved.
  await page.getByRole('link', { name: 'Acme ID' }).first().click()
  await page.getByLabel('Role of group 1').click()
  await page.getByRole('option', { name: 'Viewer', exact: true }).click()
  const preview = page.getByTestId('group-preview')
  for (const text of ['1 of 1 people would gain or lose a role.', 'One person could administer nothing any more.', 'Gains Viewer', 'Loses Administrator']) await preview.getByText(text).first().waitFor()
  await look(page, 'preview')
  await preview.getByRole('radio', { name: 'Last test sign-in' }).click()
  await preview.getByText('Gains Viewer').first().waitFor()
  await preview.getByRole('radio', { name: 'Groups that I type in' }).click()
  await preview.getByRole('textbox').fill('Berlin')
  await preview.getByRole('textbox').press('Enter')
  await preview.getByText('No roles by group').first().waitFor()
  await eve.reload()
  await eve.getByText(OWNER.email).first().waitFor() // nothing was saved

  // Who signs out here is signed out at the provider too, once the connection says so.
  await page.getByLabel('Role of group 1').click()
  await page.getByRole('option', { name: 'Administrator', exact: true }).click()
  await page.getByLabel('Sign people out at the provider too').click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('The provider offers it.').first().waitFor()
  await page.getByText('The provider offers it.').first().scrollIntoViewIfNeeded()
  await look(page, 'sign-out')
  const leaving = await browser.page() // signed in after that, so that there is an ID token
  await leaving.goto(`${at.tenant}/me`)
  await leaving.locator('input[type=email]').fill('eve@acme.example')
  await leaving.getByRole('button', { name: 'Continue', exact: true }).click()
  await leaving.getByRole('button', { name: 'Continue with Acme ID' }).click()
  await atProvider(leaving)
  await leaving.waitForURL(`${at.tenant}/me`)
  await leaving.getByRole('button', { name: /account/i }).click()
  await leaving.getByRole('menuitem', { name: 'Sign out' }).click()
  await leaving.locator('button[name=logout]').first().click()
  await leaving.getByText('You are signed out, here and at your identity provider.').first().waitFor()
  must(new URL(leaving.url()).origin === new URL(at.tenant).origin, `the browser came back to ${leaving.url()}`)
  await look(leaving, 'signed-out')
  process.stdout.write('ok signed out\n')

  // What comes back twice, or to another browser, leads to the sign-in page.
  const other = await browser.page()
  await other.goto(`${at.tenant}/bff/sso/callback?state=x&code=y`)
  await other.getByRole('alert').first().waitFor()
  must(/request=/.test(other.url()), 'there is no request id')
  await look(other, 'failed')
} catch (error) {
  wrong.push(error.stack)
} finally {
  provider.stdin.end()
  await browser.close()
}
for (const w of wrong) process.stderr.write(`${w}\n`)
process.exit(wrong.length ? 1 : 0)
