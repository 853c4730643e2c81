// The organizations of an installation by clicking, in a real browser against a real
// Gatehouse that was never set up: limits and usage, favourites and the palette,
// projects and environments, an export, and a deletion that is taken back. Every
// screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:org -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host), refusals: true })
const wrong = browser.wrong
const look = looker('org', shots, wrong)

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/organizations`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()

  for (const [name, slug] of [['Globex', 'globex'], ['Initech', 'initech']]) {
    await page.getByRole('button', { name: 'New organization' }).click()
    const panel = page.getByRole('dialog')
    await panel.getByLabel('Name', { exact: false }).first().fill(name)
    await panel.getByLabel('Short name').fill(slug)
    await panel.getByLabel('E-mail of its owner').fill(`owner@${slug}.example`)
    await panel.getByRole('button', { name: 'Create the organization' }).click()
    await panel.getByText('It is shown once').first().waitFor()
    await panel.getByRole('button', { name: 'Done' }).click()
    await page.getByRole('link', { name: slug }).or(page.getByText(slug, { exact: true })).first().waitFor()
  }
  await page.getByRole('button', { name: 'Add Globex to favourites' }).click()
  await page.getByRole('button', { name: 'Remove Globex from favourites' }).first().waitFor()
  await look(page, 'list')
  await page.getByRole('radio', { name: 'Favourites' }).click()
  await page.getByText('initech', { exact: true }).first().waitFor({ state: 'detached' })
  await page.getByText('globex', { exact: true }).first().waitFor()
  must(new URL(page.url()).searchParams.get('view') === 'favourites', 'the view is not in the address')
  await look(page, 'favourites')

  // Found from anywhere, by the keyboard.
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Go to anything').or(page.getByRole('dialog').locator('input')).first().fill('glob')
  await page.getByRole('option', { name: /Globex/ }).first().waitFor()
  await page.getByRole('option', { name: /Globex/ }).first().click()
  await page.getByRole('heading', { name: 'Globex' }).first().waitFor()
  await page.getByTestId('usage').first().waitFor()

  // The same by the switcher, which has favourites and what was used last.
  await page.goto(`${at.tenant}/settings`)
  await page.getByTestId('organizations').click()
  const switcher = page.getByRole('dialog')
  await switcher.getByText('Favourites').first().waitFor()
  await switcher.getByRole('option', { name: /Initech/ }).first().waitFor()
  await look(page, 'switcher')
  await switcher.getByRole('option', { name: /Globex/ }).first().click()
  await page.getByTestId('usage').first().waitFor()

  // What was typed is not left unasked.
  await page.getByLabel('Name', { exact: true }).fill('Globex Inc')
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await page.getByText('Leave without saving?').first().waitFor()
  await look(page, 'unsaved')
  await page.getByRole('button', { name: 'Stay here' }).click()

  // Somebody else saves first: all three versions are shown.
  const other = await page.context().newPage()
  await other.goto(page.url())
  await other.getByLabel('Name', { exact: true }).fill('Globex Ltd')
  await other.getByRole('button', { name: 'Save', exact: true }).click()
  await other.getByRole('heading', { name: 'Globex Ltd' }).first().waitFor()
  await other.close()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  const merge = page.getByTestId('merge')
  await merge.getByText('Globex Ltd').first().waitFor()
  await look(page, 'merge')
  await page.getByRole('button', { name: 'Take all of theirs' }).click()
  await page.getByTestId('merge-save').click()
  await page.getByRole('heading', { name: 'Globex Ltd' }).first().waitFor()

  // Limits, and how near they are.
  await page.getByRole('button', { name: 'Change limits' }).click()
  const limits = page.getByRole('dialog')
  await limits.getByLabel('Environments').fill('3')
  await limits.getByLabel('Gateway groups').fill('10')
  await limits.getByLabel('Projects').fill('1')
  await limits.getByLabel('Users').fill('5')
  await look(page, 'limits')
  await limits.getByRole('button', { name: 'Save the limits' }).click()
  await page.getByText('3 of 3').first().waitFor()
  await page.getByText('0 of 5').first().waitFor()
  await page.getByText('The limit is reached').first().waitFor()
  await look(page, 'usage')

  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download the export' }).click()])
  must(/^globex-.*\.zip$/.test(download.suggestedFilename()), `the export is called ${download.suggestedFilename()}`)
  must((await download.failure()) === null, 'the export was broken off')

  // Deleted by its short name, and taken back.
  await page.getByRole('button', { name: 'Delete the organization' }).click()
  const confirm = page.getByRole('dialog')
  await confirm.getByText('users are signed out').or(confirm.getByText('no users are signed out')).first().waitFor()
  must(await confirm.getByTestId('confirm').isDisabled(), 'it can be deleted without its name')
  await confirm.getByRole('textbox').fill('globex')
  await look(page, 'delete')
  await confirm.getByTestId('confirm').click()
  await page.getByText('This organization is deleted').first().waitFor()
  await look(page, 'deleted')
  await page.getByRole('button', { name: 'Restore' }).click()
  await page.getByText('This organization is deleted').first().waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Suspend' }).first().waitFor()

  // The own organization: projects, who owns them, environments, and what is full.
  await page.goto(`${at.tenant}/projects`)
  await page.getByRole('button', { name: 'New project' }).click()
  const project = page.getByRole('dialog')
  await project.getByLabel('Name', { exact: false }).first().fill('Payments')
  await project.getByLabel('Short name').fill('payments')
  await look(page, 'new-project')
  await project.getByRole('button', { name: 'Create the project' }).click()
  await page.getByRole('heading', { name: 'Payments' }).first().waitFor()
  await page.getByText('Nobody owns this project alone').first().waitFor()
  await page.getByRole('button', { name: 'Add an owner' }).click()
  const owner = page.getByRole('dialog')
  await owner.getByText('Choose a user, a service account or a group').click()
  await page.getByRole('option').first().click()
  await owner.getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByRole('table', { name: 'Owners' }).first().waitFor()
  await look(page, 'project')
  await page.getByRole('link', { name: 'Projects and environments' }).first().click()
  await page.getByText('payments', { exact: true }).first().waitFor()
  await look(page, 'projects')
  await page.getByRole('link', { name: 'Environments', exact: true }).click()
  await page.getByRole('button', { name: 'New environment' }).click()
  const environment = page.getByRole('dialog')
  await environment.getByLabel('Name', { exact: false }).first().fill('Load test')
  await environment.getByLabel('Short name').fill('load')
  await environment.getByRole('button', { name: 'Create the environment' }).click()
  await page.getByText('load', { exact: true }).first().waitFor()
  await page.getByRole('button', { name: 'Move Load test to an earlier place' }).click()
  await page.waitForFunction(() => [...document.querySelectorAll('table tbody tr')].findIndex((r) => r.textContent.includes('Load test')) === 2)
  await look(page, 'environments')
  await page.getByRole('button', { name: 'Delete Load test' }).click()
  const remove = page.getByRole('dialog')
  await remove.getByText('It has no gateway groups').first().waitFor()
  await remove.getByRole('textbox').fill('load')
  await remove.getByTestId('confirm').click()
  await page.getByText('load', { exact: true }).first().waitFor({ state: 'detached' })

  await page.goto(`${at.tenant}/settings`)
  await page.getByTestId('usage').first().waitFor()
  await look(page, 'settings')
} catch (error) {
  wrong.push(error.stack)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
}
for (const w of wrong) process.stderr.write(`${w}\n`)
process.exit(wrong.length ? 1 : 0)
