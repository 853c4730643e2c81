// Oversight by clicking, in a real browser against a real Gatehouse that was never set
// up: the overview, the set-up guide, a review of access to its end, a boundary, who
// has a role. Every screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:govern -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host), refusals: true })
const wrong = browser.wrong
const look = looker('govern', shots, wrong)
const PASSWORD = 'several words of my own'

/** Asks the API as the owner, for what is not clicked here. */
async function ask(token, method, path, body) {
  const answer = await fetch(`${new URL(at.tenant).protocol}//127.0.0.1:${new URL(at.tenant).port}/api/tenant-manager/v1${path}`, {
    method,
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}) },
    body: body && JSON.stringify(body),
  })
  const text = await answer.text()
  must(answer.status < 300, `${method} ${path} is answered ${answer.status}: ${text}`)
  return text ? JSON.parse(text) : {}
}

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()

  // People and a program beside the browser.
  const owner = (await ask('', 'POST', '/sign-in', { email: OWNER.email, password: OWNER.password })).accessToken
  for (const [email, name, role] of [['lena@acme.example', 'Lena Kim', 'operator'], ['tom@acme.example', 'Tom Weber', 'administrator']]) {
    const link = await ask(owner, 'POST', '/invitations', { email, roles: [{ role }] })
    await ask('', 'POST', `/invitations/by-token/${link.token}/accept`, { name, password: PASSWORD })
  }
  const group = await ask(owner, 'POST', '/groups', { name: 'Contractors' })
  const lena = (await ask(owner, 'GET', '/users?q=lena')).items[0]
  await ask(owner, 'POST', `/groups/${group.id}/members`, { member: lena.id })
  await ask(owner, 'POST', '/grants', { principal: group.id, role: 'publisher' })
  for (let i = 0; i < 3; i++) await fetch(`http://127.0.0.1:${new URL(at.tenant).port}/api/tenant-manager/v1/sign-in`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email: lena.email, password: 'not the right one' }) })

  // The start page of who may read it is the overview.
  await page.goto(`${at.tenant}/`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((u) => u.pathname === '/overview')
  await page.getByRole('heading', { name: 'Administrators without a second factor' }).first().waitFor()
  await page.getByRole('link', { name: /Last 24 hours: 3 refused/ }).first().waitFor()
  await look(page, 'overview')
  await page.getByRole('link', { name: /Last 24 hours: 3 refused/ }).click()
  await page.getByRole('cell', { name: 'user.signed-in' }).first().waitFor()
  must((await page.locator('tbody tr').count()) === 3, 'the number leads to other entries than it counts')
  await page.goBack()
  await page.getByRole('link', { name: 'Show: Roles in the whole organization that never end' }).click()
  await page.getByRole('cell', { name: 'Contractors' }).first().waitFor()

  // The guide: what is done is seen from what is there; a step can be left out.
  await page.getByRole('link', { name: 'Set-up guide' }).first().click()
  await page.getByText('0 of 9 done').first().waitFor()
  await page.getByRole('button', { name: 'Leave out: Have accounts made' }).click()
  await page.getByText('Left out by Olga Petrova').first().waitFor()
  await look(page, 'guide')
  await page.getByRole('button', { name: 'Take up again: Have accounts made' }).click()
  await page.getByRole('button', { name: 'Leave out: Have accounts made' }).first().waitFor()

  // A review, from its form to its end.
  await page.getByRole('link', { name: 'Access reviews' }).first().click()
  await page.getByText('No reviews yet').first().waitFor()
  await look(page, 'reviews-empty')
  await page.getByRole('link', { name: 'New review' }).first().click()
  await page.getByRole('textbox', { name: 'Name' }).fill('Access in the first quarter')
  await page.getByText(/^5 grants of 4 /).first().waitFor()
  await page.getByRole('radio', { name: 'Revoke' }).click()
  await look(page, 'review-new')
  await page.getByRole('button', { name: 'Begin the review' }).click()
  await page.getByRole('heading', { name: 'Access in the first quarter' }).first().waitFor()
  await page.getByRole('button', { name: 'Keep administrator of Tom Weber' }).click()
  await page.getByText('1 to be kept.').first().waitFor()
  await page.getByRole('button', { name: 'Revoke operator of Lena Kim' }).click()
  await page.getByRole('dialog').getByLabel('Why').fill('She changed teams')
  await look(page, 'review-revoke')
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('She changed teams').first().waitFor()
  await look(page, 'review')
  await page.getByRole('button', { name: 'Change', exact: true }).click()
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Access in the second quarter')
  await look(page, 'review-change')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'Access in the second quarter' }).first().waitFor()
  await page.getByRole('button', { name: 'Keep all undecided' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Keep', exact: true }).click()
  await page.getByRole('button', { name: 'End it now' }).click()
  await page.getByText(/^1 grant is taken away/).first().waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'End it now' }).click()
  await page.getByRole('main').getByText('Closed', { exact: true }).first().waitFor()
  await page.getByText('Taken away').first().waitFor()
  await look(page, 'review-closed')
  must((await ask(owner, 'GET', `/grants?principal=${lena.id}`)).items.length === 0, 'what was revoked is still there')

  // Roles: one search over all, who has it, and what somebody may do by it.
  await page.getByRole('link', { name: 'Roles', exact: true }).click()
  await page.getByRole('combobox', { name: /^Name, description/ }).fill('deploys')
  await page.getByRole('link', { name: 'Auditor' }).first().waitFor({ state: 'hidden' })
  await page.getByRole('link', { name: 'Publisher' }).first().waitFor()
  await look(page, 'roles')
  await page.getByRole('link', { name: 'Publisher' }).first().click()
  await page.getByText('By Contractors').first().waitFor()
  await look(page, 'role')
  await page.getByRole('link', { name: 'Test as a user' }).click()
  await page.getByText('Only what the role Publisher may do is offered.').first().waitFor()
  await page.getByRole('button', { name: 'Who can?' }).click()
  await page.getByRole('heading', { name: /^Who may/ }).first().waitFor()
  await look(page, 'test-as-user')

  // A boundary, and what it takes away.
  await page.getByRole('link', { name: 'Boundaries' }).first().click()
  await page.getByText('No boundaries').first().waitFor()
  await page.getByRole('button', { name: 'New boundary' }).first().click()
  const panel = page.getByRole('dialog')
  await panel.getByText('Choose a user, a service account or a group').click()
  await page.getByRole('option', { name: /Contractors/ }).first().click()
  await panel.getByText('Choose a role').click()
  await page.getByRole('option', { name: 'Viewer' }).first().click()
  await panel.getByText(/permissions less/).first().waitFor()
  await look(page, 'boundary')
  await panel.getByRole('button', { name: 'Set the boundary' }).click()
  await page.getByRole('button', { name: 'What it takes away: Contractors' }).first().waitFor()
  await look(page, 'boundaries')
} catch (error) {
  wrong.push(error.stack)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
}
for (const w of wrong) process.stderr.write(`${w}\n`)
process.exit(wrong.length ? 1 : 0)
