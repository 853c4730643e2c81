// The system pages by clicking, in a real browser against a real Gatehouse that was
// never set up. Every screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:system -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host) })
const wrong = browser.wrong
const look = looker('system', shots, wrong)

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/system/health`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('All 6 instances are well').first().waitFor()
  for (const name of ['tenant-manager', 'gateway-manager', 'policy-manager', 'analysis-manager', 'devportal-backend', 'bff']) await page.getByRole('cell', { name }).first().waitFor()
  await look(page, 'health')

  const tab = (name) => page.getByRole('navigation', { name: 'System' }).getByRole('link', { name, exact: true }).click()
  await tab('Background jobs')
  const job = page.getByRole('row', { name: /Metadata of identity providers/ }).first()
  await job.waitFor()
  await look(page, 'jobs')
  await job.getByRole('button', { name: /^Run now: Metadata/ }).click()
  await page.getByText('Metadata of identity providers was asked for').first().waitFor()

  await tab('Upgrade')
  await page.getByText('All instances are of one version').first().waitFor()
  await look(page, 'upgrade')

  await tab('Encryption keys')
  await page.getByText('Everything is on the newest key').first().waitFor()
  await page.getByRole('cell', { name: 'signing_keys.private_key' }).first().waitFor()
  await look(page, 'keys')

  await tab('Settings')
  await page.getByRole('searchbox').fill('keyring')
  await page.getByRole('cell', { name: 'secrets.keyring' }).first().waitFor()
  must((await page.getByRole('cell', { name: '***' }).count()) >= 6, 'the keyrings are not masked')
  must(new URL(page.url()).searchParams.get('q') === 'keyring', 'the search is not in the address')
  await look(page, 'settings')

  await tab('Licences')
  await page.getByRole('cell', { name: 'MIT' }).first().waitFor()
  await page.getByRole('button', { name: /^Show the text of the licence of/ }).first().click()
  await page.getByRole('dialog').getByText(/permission|license/i).first().waitFor()
  await look(page, 'licences')
  await page.keyboard.press('Escape')

  await tab('Backup')
  must((await page.getByText('HashiCorp Vault').count()) === 0, 'the features are on the wrong page')
  await page.getByText('There is no backup of this data folder yet').first().waitFor()
  await look(page, 'backup')
} catch (error) {
  wrong.push(error.stack)
} finally {
  await browser.close()
}
if (wrong.length) {
  console.error(wrong.join('\n'))
  process.exit(1)
}
