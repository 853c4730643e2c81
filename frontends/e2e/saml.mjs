// Single sign-on with SAML 2.0 by clicking, in a real browser against a real Gatehouse
// that was never set up, and an identity provider of another site: a connection, a test
// sign-in, and somebody new who signs in. That the browser sends its cookie after the
// post of another site shows here alone. Every screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:saml -- ready.json [folder for screenshots]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)

const built = process.env.GATEHOUSE_SAML_IDP
const idp = spawn(built || 'go', built ? [] : ['run', './tenant-manager/internal/samlidp'], { cwd: fileURLToPath(new URL('../../services', import.meta.url)), stdio: ['pipe', 'pipe', 'ignore'] })
const url = String((await once(idp.stdout, 'data'))[0]).trim()

const browser = await open({ hosts: [at.console, at.tenant, at.auth, url].map((u) => new URL(u).host) })
const wrong = browser.wrong
const look = looker('saml', shots, wrong)
async function atProvider(page) {
  await page.locator('input[name=user]').fill('eve')
  await page.locator('input[name=password]').fill('any')
  await page.locator('input[type=submit]').click()
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
  await page.getByRole('link', { name: 'New connection' }).first().click()
  await page.getByRole('radio', { name: 'OAuth 2.0' }).click()
  await look(page, 'github')
  await page.getByLabel('Kind').click()
  await page.getByRole('option', { name: 'Other OAuth 2.0' }).click()
  await page.getByRole('button', { name: 'Add a list' }).click()
  await look(page, 'oauth2')
  await page.getByRole('radio', { name: 'SAML 2.0' }).click()
  await look(page, 'new')
  await page.getByLabel('Kind').click()
  await page.getByRole('option', { name: 'Other SAML 2.0' }).click()
  await page.locator('input[name=name]').fill('Acme SAML')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.waitForURL((u) => /^\/sso\/[^/]+$/.test(u.pathname) && !u.pathname.endsWith('/new'))
  await page.getByText('urn:gatehouse:sso:').first().waitFor()
  const id = new URL(page.url()).pathname.split('/')[2]
  const metadata = await page.evaluate(async (u) => (await fetch(u)).text(), `/bff/sso/saml/${id}/metadata`)
  const put = await fetch(`${url}/services/x`, { method: 'PUT', body: metadata })
  must(put.status === 204, `the provider answered ${put.status}`)
  await page.locator('input[name=metadataUrl]').fill(`${url}/metadata`)
  await page.getByPlaceholder('acme.example').fill('acme.example')
  await page.getByPlaceholder('acme.example').press('Enter')
  await page.getByLabel('Take addresses of these domains as verified').click()
  await page.getByLabel('Make a user of who signs in for the first time').click()
  await page.getByRole('button', { name: 'Add a group' }).click()
  await page.getByLabel('Group 1', { exact: true }).fill('API team')
  await page.getByLabel('Role of group 1').click()
  await page.getByRole('option', { name: 'Administrator', exact: true }).click()
  for (const [label, value] of [['E-mail', 'mail'], ['Name', 'cn'], ['Groups', 'eduPersonAffiliation']]) await page.getByLabel(label, { exact: true }).last().fill(value)
  await page.getByLabel('People can sign in with it').click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Fetched').first().waitFor()
  await look(page, 'connection')
  const opened = page.waitForEvent('popup')
  await page.getByRole('button', { name: 'Test sign-in' }).click()
  const tab = await opened
  await atProvider(tab)
  await tab.getByText('A user is made of this person').first().waitFor()
  await look(tab, 'test')
  await page.getByRole('button', { name: 'Fetch now' }).click()
  await page.getByText('The metadata is fetched').first().waitFor()
  const eve = await browser.page()
  await eve.goto(`${at.tenant}/users`)
  await eve.locator('input[type=email]').fill('eve@acme.example')
  await eve.getByRole('button', { name: 'Continue', exact: true }).click()
  await eve.getByRole('button', { name: 'Continue with Acme SAML' }).click()
  await atProvider(eve)
  await eve.waitForURL(`${at.tenant}/users`)
  await eve.getByText('Eve Larsen').first().waitFor()
  process.stdout.write('ok signed in\n')
  // Our own certificate is renewed: both are in the metadata, and the provider has the new one before it is used.
  const published = async () => [...new Set((await page.evaluate(async (u) => (await fetch(u)).text(), `/bff/sso/saml/${id}/metadata`)).match(/(?<=<X509Certificate[^>]*>)[^<]+/g))]
  const confirm = (action) => page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click()
  const before = await published()
  must(before.length === 1, `there are ${before.length} certificates`)
  await page.getByRole('button', { name: 'Renew', exact: true }).click()
  await page.getByText('which goes on signing').first().waitFor()
  await look(page, 'renew')
  await confirm('Renew')
  await page.getByText('The new certificate is announced').first().waitFor()
  await page.getByRole('button', { name: 'Switch now' }).first().waitFor()
  const both = await published()
  must(both.length === 2 && both.includes(before[0]), `the metadata has ${both.length} certificates`)
  const again = await fetch(`${url}/services/x`, { method: 'PUT', body: await page.evaluate(async (u) => (await fetch(u)).text(), `/bff/sso/saml/${id}/metadata`) })
  must(again.status === 204, `the provider answered ${again.status}`)
  await look(page, 'announced')
  await page.getByRole('button', { name: 'Switch now' }).first().click()
  await page.getByText('Requests are signed with it from now on').first().waitFor()
  await confirm('Switch now')
  await page.getByText('The new certificate is in use').first().waitFor()
  await page.getByRole('button', { name: 'Renew', exact: true }).waitFor()
  must((await published())[0] !== before[0], 'the certificate of before is still the first')
  await look(page, 'switched')
  // And by it somebody signs in.
  const later = await browser.page()
  await later.goto(`${at.tenant}/users`)
  await later.locator('input[type=email]').fill('eve@acme.example')
  await later.getByRole('button', { name: 'Continue', exact: true }).click()
  await later.getByRole('button', { name: 'Continue with Acme SAML' }).click()
  await atProvider(later)
  await later.getByText('Eve Larsen').first().waitFor()
  process.stdout.write('ok renewed\n')
  const other = await browser.page()
  await other.goto(`${at.tenant}/sign-in?sso=unasked&request=r1`)
  await other.getByRole('alert').first().waitFor()
  await look(other, 'unasked')
} catch (error) {
  wrong.push(error.stack)
} finally {
  idp.stdin.end()
  await browser.close()
}
// The identity provider has no icon.
const ours = wrong.filter((w) => !w.includes('/favicon.ico'))
for (const w of ours) process.stderr.write(`${w}\n`)
process.exit(ours.length ? 1 : 0)
