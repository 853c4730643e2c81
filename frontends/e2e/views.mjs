// What somebody prefers, by clicking, in a real browser against a real Gatehouse that
// was never set up: columns are chosen and a view is saved in one browser, and both are
// there in another; signing out leaves nothing personal. Every screen is checked with
// axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:views -- ready.json [folder for screenshots]
import { looker, open, pictures } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host), refusals: true })
const wrong = browser.wrong
const look = looker('views', shots, wrong)

async function signIn(page, path) {
  await page.goto(at.tenant + path)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}
const column = (page, name) => page.getByRole('columnheader', { name, exact: true })
const saved = (page) => page.waitForResponse((r) => r.url().endsWith('/me/preferences') && r.request().method() === 'PATCH' && r.ok())

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await signIn(page, '/users')

  // Columns, by keyboard: what is chosen stays, and stands in the address.
  await column(page, 'Second factor').first().waitFor()
  await page.getByTestId('columns').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menuitemcheckbox', { name: 'Second factor' }).first().waitFor()
  let kept = saved(page)
  await page.getByRole('menuitemcheckbox', { name: 'Second factor' }).press('Enter')
  await page.getByRole('menuitemcheckbox', { name: 'Created' }).press('Enter')
  await page.keyboard.press('Escape')
  await column(page, 'Second factor').waitFor({ state: 'detached' })
  await look(page, 'columns')
  await kept

  // A view: the search, the order and the columns, with a name.
  await page.getByRole('combobox', { name: /Search|Name/ }).first().fill('status:active')
  await page.waitForURL(/q=status/)
  await page.getByTestId('views').click()
  await page.getByRole('menuitem', { name: 'Save as a view' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('Give it a name.').first().waitFor()
  await page.getByRole('textbox', { name: 'Name' }).fill('Active people')
  await page.getByRole('checkbox', { name: 'Open the list with this view' }).click()
  await look(page, 'save')
  kept = saved(page)
  await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('button', { name: 'View: Active people' }).first().waitFor()
  await kept
  if (shots) await pictures(page, shots, 'views-list')

  // In another browser the list opens with it.
  const other = await browser.page()
  await signIn(other, '/users')
  await other.getByRole('button', { name: 'View: Active people' }).first().waitFor()
  await other.waitForURL(/q=status.*view=/)
  await column(other, 'Last sign-in').first().waitFor()
  must((await column(other, 'Second factor').count()) === 0, 'the column is back in another browser')
  await other.getByTestId('views').click()
  await other.getByRole('menuitemcheckbox', { name: 'Active people' }).first().waitFor()
  await other.getByRole('menuitemcheckbox', { name: 'Everything' }).click()
  await other.waitForURL(/view=all/)
  await look(other, 'everything')

  // The theme goes along, and what is personal leaves with who signs out.
  kept = saved(other)
  await other.getByTestId('account').click()
  await other.getByRole('menuitemcheckbox', { name: 'Dark' }).click()
  await kept
  await other.getByRole('menuitem', { name: 'Sign out' }).click()
  await other.locator('input[type=email]').first().waitFor()
  const left = await other.evaluate(() => JSON.stringify({ ...localStorage }))
  must(!left.includes('Active people') && /theme\W+dark/.test(left), `the browser keeps ${left}`)
  await page.reload()
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark')
} catch (error) {
  wrong.push(error.stack)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
}
for (const w of wrong) process.stderr.write(`${w}\n`)
process.exit(wrong.length ? 1 : 0)
