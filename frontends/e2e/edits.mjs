// Forms by typing, in a real browser against a real Gatehouse that was never set up: what is
// typed into a panel is not lost by a key, two people who change the same group see what the
// other did, and what is wrong with a field stands at it, in the language of the reader, with
// the focus on it. Screens are checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:edits -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host), refusals: true })
const wrong = browser.wrong
const look = looker('edits', shots, wrong)

/** Signs in at a path of the tenant console, in the words of a language. */
async function signIn(page, path, words) {
  await page.goto(at.tenant + path)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: words.on, exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: words.in, exact: true }).click()
}

/** What a person with a screen reader hears of the field that has the focus. */
const heard = (page) =>
  page.evaluate(() => {
    const field = document.activeElement
    const said = (field?.getAttribute('aria-describedby') ?? '').split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '')
    return { name: field?.getAttribute('name') ?? '', invalid: field?.getAttribute('aria-invalid') ?? '', said: said.join(' ').trim() }
  })

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await signIn(page, '/groups', { on: 'Continue', in: 'Sign in' })

  // A panel with changes does not close by a key.
  await page.getByRole('button', { name: 'New group' }).first().click()
  const panel = page.getByRole('dialog').filter({ has: page.locator('#group') })
  await panel.getByLabel('Name').fill('Readers')
  await page.keyboard.press('Escape')
  await page.getByText('Leave without saving?').first().waitFor()
  await look(page, 'unsaved')
  await page.getByRole('button', { name: 'Stay here' }).click()
  must((await panel.getByLabel('Name').inputValue()) === 'Readers', 'what was typed is lost')
  await panel.getByRole('button', { name: 'Create the group' }).or(panel.getByRole('button', { name: /^(Make|Create)/ })).first().click()
  await page.getByRole('link', { name: 'Readers' }).or(page.getByRole('heading', { name: 'Readers' })).first().click()
  await page.getByTestId('edit-group').click()
  await panel.getByLabel('Description').fill('Mine')

  // Somebody else saves first.
  const other = await page.context().newPage()
  await other.goto(page.url())
  await other.getByTestId('edit-group').click()
  const theirs = other.getByRole('dialog').filter({ has: other.locator('#group') })
  await theirs.getByLabel('Description').fill('Theirs')
  await theirs.getByRole('button', { name: 'Save', exact: true }).click()
  await other.getByText('Theirs').first().waitFor()
  await other.close()
  await panel.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByTestId('merge').first().waitFor()
  await page.getByTestId('merge').getByText('Theirs').first().waitFor()
  await look(page, 'merge')
  await page.getByTestId('merge').getByText('Mine', { exact: true }).first().click()
  await page.getByTestId('merge-save').click()
  await page.getByTestId('merge').first().waitFor({ state: 'detached' })
  await page.getByText('Mine', { exact: true }).first().waitFor()

  // What is wrong stands at its field, in German, and has the focus.
  const german = await browser.page('de-DE')
  await signIn(german, '/webhooks', { on: 'Weiter', in: 'Anmelden' })
  await german.getByRole('button', { name: /Webhook/ }).first().click()
  await german.locator('[name=webhook-name]').fill('Siem')
  await german.locator('[name=webhook-address]').fill('ftp://hooks.example.com')
  await german.getByRole('dialog').getByRole('switch').first().click()
  await german.locator('button[form=webhook]').click()
  await german.waitForFunction(() => document.activeElement?.getAttribute('name') === 'webhook-address')
  const told = await heard(german)
  must(told.invalid === 'true' && /Die Schreibweise stimmt nicht|Das ist so nicht möglich/.test(told.said), `the address is told as ${JSON.stringify(told)}`)
  await look(german, 'field')
} catch (error) {
  wrong.push(error.stack)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
}
if (wrong.length) {
  console.error(wrong.join('\n'))
  process.exit(1)
}
