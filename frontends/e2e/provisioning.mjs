// Provisioning by clicking, in a real browser against a real Gatehouse that was never
// set up: a directory, its token, and what an identity provider makes with it. Every
// screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:provisioning -- ready.json [folder for screenshots]
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host) })
const wrong = browser.wrong
const look = looker('provisioning', shots, wrong)
/** Asks as an identity provider does, at the address that everybody reaches. */
async function provider(token, method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${new URL(at.tenant).port}/scim/v2${path}`, { method, headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/scim+json' }, body: body && JSON.stringify(body) })
  const text = await answer.text()
  return { status: answer.status, body: text ? JSON.parse(text) : {} }
}

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/provisioning`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('No directory yet').first().waitFor()
  await look(page, 'empty')

  await page.getByRole('link', { name: 'New directory' }).first().click()
  await page.getByLabel('Name').first().fill('Entra ID')
  await page.getByPlaceholder('acme.example').fill('acme.example')
  await page.getByPlaceholder('acme.example').press('Enter')
  await look(page, 'new')
  await page.getByRole('button', { name: 'Make the directory' }).click()
  await page.waitForURL((u) => /^\/provisioning\/[^/]+$/.test(u.pathname) && !u.pathname.endsWith('/new'))
  await page.getByText('No tokens yet').first().waitFor()
  await look(page, 'directory')

  await page.getByRole('button', { name: 'New token' }).first().click()
  const panel = page.getByRole('dialog')
  await panel.getByRole('textbox').first().fill('Enterprise application')
  await panel.getByRole('button', { name: 'Make the token' }).click()
  await panel.getByText('Copy both to the provisioning settings').first().waitFor()
  await panel.getByTestId('secret').locator('..').getByRole('button').first().click()
  const token = (await panel.getByTestId('secret').innerText()).trim()
  must(/^ghs_[0-9A-Za-z]{42}$/.test(token), 'the token is not shown')
  must((await panel.innerText()).includes(`${new URL(at.tenant).origin}/scim/v2`), 'the address is not beside the token')
  await look(page, 'token')
  await panel.getByRole('button', { name: 'Done' }).click()

  // A dry run answers as if it were done, and tells what it would have come to.
  await page.getByRole('button', { name: 'Begin a dry run' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Begin a dry run' }).click()
  await page.getByText('This is a dry run').first().waitFor()
  const tried = await provider(token, 'POST', '/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'eve@acme.example', displayName: 'Eve Larsen', active: true })
  must(tried.status === 201, `a dry run answers ${JSON.stringify(tried)}`)
  must((await provider(token, 'GET', `/Users/${tried.body.id}`)).status === 200, 'a dry run does not know what it made')
  must((await provider(token, 'POST', '/Groups', { displayName: 'API team', members: [{ value: tried.body.id }] })).status === 201, 'a dry run makes no group')
  must((await provider(token, 'POST', '/Users', { userName: 'x@elsewhere.example' })).status === 400, 'a dry run takes an address of another domain')
  await page.getByTestId('dry-summary').getByText('1 group created, 1 user created, 1 request on users refused').first().waitFor()
  await page.getByText('1 in: Eve Larsen').first().waitFor()
  await page.getByText('made or changed 2 of at most').first().waitFor()
  await look(page, 'dry-run')
  await page.getByRole('button', { name: 'Switch on' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Switch on' }).click()
  await page.getByText('Nothing was refused').first().waitFor()
  must((await provider(token, 'GET', '/Users')).body.totalResults === 0, 'a dry run wrote something')

  const eve = await provider(token, 'POST', '/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'eve@acme.example', displayName: 'Eve Larsen', active: true })
  must(eve.status === 201, `a user is answered ${JSON.stringify(eve)}`)
  const group = await provider(token, 'POST', '/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'API team', members: [{ value: eve.body.id }] })
  must(group.status === 201, `a group is answered ${JSON.stringify(group)}`)
  must((await provider(token, 'POST', '/Users', { userName: 'x@elsewhere.example' })).status === 400, 'an address of another domain is taken')
  await page.goto(`${at.tenant}/provisioning`)
  await page.getByRole('link', { name: 'Entra ID' }).first().waitFor()
  await look(page, 'list')
  await page.getByRole('link', { name: 'Entra ID' }).first().click()
  await page.getByText('Enterprise application').first().waitFor()
  await page.getByText('x@elsewhere.example').first().waitFor()
  await look(page, 'used')

  await page.goto(`${at.tenant}/groups/${group.body.id}`)
  await page.getByText('This group is kept by the directory').first().waitFor()
  await page.getByText('Eve Larsen').first().waitFor()
  must((await page.getByRole('button', { name: 'Add a member' }).count()) === 0, 'members can be added by hand')
  await look(page, 'group')
  await page.getByRole('note').getByRole('link', { name: 'Entra ID' }).click()

  await page.getByRole('button', { name: 'Switch off' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click()
  await page.getByRole('button', { name: 'Switch on' }).first().waitFor()
  must((await provider(token, 'GET', '/Users')).status === 401, 'what is switched off is answered')
  await page.getByRole('button', { name: 'Switch on' }).first().click()
  await page.getByRole('button', { name: 'Switch off' }).first().waitFor()
  must((await provider(token, 'GET', '/Users')).body.totalResults === 1, 'what is switched on is not answered')
  await page.getByRole('button', { name: 'Revoke the token Enterprise application' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('No tokens yet').first().waitFor()
  must((await provider(token, 'GET', '/Users')).status === 401, 'a revoked token is answered')
} catch (error) {
  wrong.push(error.stack)
} finally {
  await browser.close()
}
// A group without a boundary has none to show, which browsers report.
const told = wrong.filter((w) => !/status of 404.*\/boundaries\//.test(w))
for (const w of told) process.stderr.write(`${w}\n`)
process.exit(told.length ? 1 : 0)
