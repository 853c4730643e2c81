// Domains and rules of sign-in by clicking, in a real browser against a real
// Gatehouse that was never set up: a domain is claimed, a rule is looked at before it
// is switched on, the sign-in page follows, and guessing and addresses are bounded.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:signrules -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host), refusals: true })
const wrong = browser.wrong
const look = looker('signrules', shots, wrong)

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/domains`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('No domain is claimed').first().waitFor()
  await look(page, 'none')

  await page.getByRole('button', { name: 'Claim a domain' }).first().click()
  await page.locator('input[name=domain]').fill('not a domain')
  await page.getByRole('button', { name: 'Claim it' }).click()
  await page.getByText('use a domain such as acme.example').first().waitFor()
  await look(page, 'claim')
  await page.locator('input[name=domain]').fill('acme.example')
  await page.getByRole('button', { name: 'Claim it' }).click()
  await page.getByText('_gatehouse-verification.acme.example').first().waitFor()
  const domain = page.url()

  await page.goto(`${at.tenant}/sso/new`)
  await page.getByLabel('Kind').click()
  await page.getByRole('option', { name: 'Other OpenID Connect' }).click()
  await page.locator('input[name=name]').fill('Acme ID')
  await page.locator('input[name=issuer]').fill('https://login.example.com')
  await page.locator('input[name=clientId]').fill('gatehouse')
  await page.getByLabel('People can sign in with it').click()
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.waitForURL((u) => /^\/sso\/[^/]+$/.test(u.pathname) && !u.pathname.endsWith('/new'))

  // What a rule would do is shown, and what is in its way.
  await page.goto(domain)
  await page.getByRole('combobox', { name: 'Single sign-on' }).click()
  await page.getByRole('option', { name: 'Acme ID' }).click()
  await page.getByRole('radio', { name: 'Single sign-on alone' }).click()
  await page.getByText('nobody has signed in by Acme ID yet').first().waitFor()
  await page.getByText('there is no break-glass account').first().waitFor()
  must(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled(), 'a rule can be saved that locks people out')
  await page.getByRole('radio', { name: 'Chosen groups first' }).click()
  await look(page, 'preview')
  await page.getByRole('radio', { name: 'Password or single sign-on' }).click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('How people sign in is saved').last().waitFor()
  await look(page, 'domain')
  await page.goto(`${at.tenant}/domains`)
  await page.getByRole('link', { name: 'acme.example' }).first().waitFor()
  await look(page, 'list')
  await page.goto(`${at.tenant}/platform/domains`)
  await page.getByRole('button', { name: 'Take away' }).first().waitFor()
  await look(page, 'platform')
  await page.getByRole('button', { name: 'Take away' }).first().click()
  await page.getByTestId('confirm').click()
  await page.getByRole('button', { name: 'Verify by hand' }).first().click()
  await page.locator('input[name=reason]').fill('asked the network team')
  await look(page, 'by-hand')
  await page.getByTestId('confirm').click()
  await page.getByRole('button', { name: 'Take away' }).first().waitFor()

  // The sign-in page offers both, side by side.
  const other = await browser.page()
  await other.goto(`${at.tenant}/users`)
  await other.locator('input[type=email]').fill('somebody@acme.example')
  await other.getByRole('button', { name: 'Continue', exact: true }).click()
  await other.getByRole('button', { name: 'Sign in with Acme ID' }).first().waitFor()
  await other.locator('input[name=password]').first().waitFor()
  await look(other, 'both')

  await page.goto(`${at.tenant}/security`)
  await page.locator('input[name=tries]').fill('3')
  await page.getByTestId('hits-lockout').getByText('Affects nobody now').waitFor()
  await page.locator('textarea[name=allowedAddresses]').fill('10.0.0.0/8')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('heading', { name: 'Lock yourself out?' }).first().waitFor()
  await look(page, 'lockout')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.locator('textarea[name=allowedAddresses]').fill('')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('The security policy is saved').last().waitFor()
  await look(page, 'security')
} catch (error) {
  wrong.push(error.stack)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
}
for (const w of wrong) process.stderr.write(`${w}\n`)
process.exit(wrong.length ? 1 : 0)
