// Many people by clicking, in a real browser against a real Gatehouse that was never
// set up: a list is imported, users are found and changed several at once, somebody
// acts as somebody else and comes back. Every screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:users -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant].map((u) => new URL(u).host), refusals: true })
const wrong = browser.wrong
const look = looker('users', shots, wrong)

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/invitations/import`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()

  await page.getByRole('button', { name: 'Show what it would do' }).first().waitFor()
  await look(page, 'import')
  await page.getByRole('textbox').first().fill(`email;name;roles;team\nsam@acme.example;Sam Okoro;viewer;x\nkim@acme.example;Kim Lee;viewer|operator;x\nkim@acme.example;;viewer;\nnobody;;pilot;\n${OWNER.email};;viewer;`)
  await page.getByRole('button', { name: 'Show what it would do' }).click()
  await page.getByText('there is no role').first().waitFor()
  for (const outcome of ['Would be invited', 'Is a user already', 'Twice in the list', 'Not right']) must((await page.getByText(outcome).count()) > 0, `${outcome} is not shown`)
  await page.getByText('These columns are not read: team').first().waitFor()
  await look(page, 'import-preview')
  await page.getByTestId('import-run').click()
  await page.getByRole('button', { name: 'Import another list' }).first().waitFor()
  await page.getByRole('button', { name: 'Copy the link of sam@acme.example' }).first().waitFor()
  await look(page, 'import-done')

  // The links of before die when they are sent again; the new ones let people in.
  await page.goto(`${at.tenant}/invitations`)
  await page.getByRole('checkbox', { name: 'Select all on this page' }).check()
  await page.getByRole('button', { name: 'Send again', exact: true }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Copy the link of sam@acme.example' }).first().waitFor()
  await look(page, 'resent')
  await page.keyboard.press('Escape')
  for (const [email, name] of [['sam@acme.example', 'Sam Okoro'], ['kim@acme.example', 'Kim Lee']]) {
    await page.getByRole('button', { name: `Send the invitation of ${email} again` }).click()
    await page.getByTestId('confirm').click()
    const panel = page.getByRole('dialog')
    await panel.getByRole('button', { name: 'Show', exact: true }).click()
    const link = new URL((await panel.getByTestId('secret').innerText()).trim())
    await page.keyboard.press('Escape')
    const invited = await browser.page()
    await invited.goto(`${at.tenant}/invite${link.hash}`)
    await invited.locator('input[name=name]').fill(name)
    await invited.locator('input[name=password]').fill('another few good words')
    await invited.getByRole('button', { name: 'Accept the invitation' }).click()
    await invited.waitForURL((u) => u.pathname !== '/invite')
    await invited.context().close()
  }

  await page.goto(`${at.tenant}/users?q=role:viewer mfa:no source:local`)
  await page.getByRole('cell', { name: 'kim@acme.example' }).first().waitFor()
  must((await page.getByRole('cell', { name: OWNER.email }).count()) === 0, 'a filter does not narrow the list')
  const table = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Download CSV' }).click()
  must((await table).suggestedFilename().endsWith('.csv'), 'the list is not a file')
  await page.goto(`${at.tenant}/users`)
  await page.getByRole('checkbox', { name: 'Select all on this page' }).check()
  await page.getByText('3 selected').first().waitFor()
  await look(page, 'selected')
  await page.getByRole('button', { name: 'Disable', exact: true }).click()
  await page.getByText('this is you').first().waitFor()
  await look(page, 'bulk-preview')
  await page.getByTestId('bulk-run').click()
  await page.getByRole('button', { name: 'Download results' }).first().waitFor()
  await look(page, 'bulk-done')
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).last().click()
  await page.goto(`${at.tenant}/users?q=status:disabled`)
  await page.getByRole('checkbox', { name: 'Select Kim Lee' }).check()
  await page.getByRole('checkbox', { name: 'Select Sam Okoro' }).check()
  await page.getByRole('button', { name: 'Enable', exact: true }).click()
  await page.getByTestId('bulk-run').click()
  await page.getByRole('button', { name: 'Download results' }).first().waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).last().click()

  // Acting as Sam, and back.
  await page.goto(`${at.tenant}/users?q=sam`)
  await page.getByRole('link', { name: 'Sam Okoro' }).first().click()
  await page.getByRole('link', { name: 'Activity' }).first().click()
  await page.getByText('invitation.accepted').first().waitFor()
  await look(page, 'activity')
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Act as this user' }).click()
  await page.getByLabel('Reason').fill('Request 4711: the list of APIs is empty')
  await look(page, 'act')
  await page.getByRole('button', { name: 'Act as them' }).click()
  const banner = page.getByTestId('impersonation')
  await banner.getByText('Olga Petrova acts as Sam Okoro').first().waitFor()
  await page.goto(`${at.tenant}/me`)
  await page.getByText('Request 4711').first().waitFor()
  await look(page, 'acting')
  await banner.getByRole('button', { name: 'Stop' }).click()
  await banner.waitFor({ state: 'detached' })
  await page.goto(`${at.tenant}/users?q=sam`)
  await page.getByRole('link', { name: 'Sam Okoro' }).first().click()
  await page.getByText('Who acted as them').first().waitFor()
  await look(page, 'detail')

  // An address that was mistyped is put right, and the list is sorted by who was seen last.
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Correct the e-mail address' }).click()
  await page.getByRole('dialog').getByLabel('E-mail').fill('sam.okoro@acme.example')
  await look(page, 'email')
  await page.getByRole('dialog').getByRole('button', { name: 'Correct the address' }).click()
  await page.getByText('sam.okoro@acme.example').first().waitFor()
  await page.goto(`${at.tenant}/users?sort=-lastSignInAt`)
  await page.getByRole('cell', { name: 'sam.okoro@acme.example' }).first().waitFor()
  await look(page, 'sorted')
  await page.goto(`${at.tenant}/me`)
  await page.locator('input[name=new-password]').fill('few words')
  await page.getByText('one more').first().waitFor()
  await look(page, 'new-password')
} catch (error) {
  wrong.push(error.stack)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
}
// A user without a boundary has none to show, which browsers report.
const told = wrong.filter((w) => !/status of 404.*\/boundaries\//.test(w))
for (const w of told) process.stderr.write(`${w}\n`)
process.exit(told.length ? 1 : 0)
