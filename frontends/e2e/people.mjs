// People and access by clicking, in a real browser against a real Gatehouse that
// was never set up: an invitation by link, roles, grants, the access explainer, a
// service account, the audit log. Every screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:people -- ready.json [folder for screenshots]
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [readyFile, shots] = process.argv.slice(2)
if (!readyFile) {
  process.stderr.write('say which ready file to use: node e2e/people.mjs ready.json\n')
  process.exit(2)
}
const ready = JSON.parse(readFileSync(readyFile, 'utf8'))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
if (shots) mkdirSync(shots, { recursive: true })

const browser = await chromium.launch({
  executablePath: process.env.GATEHOUSE_CHROMIUM || '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const wrong = []
const own = new Set([ready.console, ready.tenantConsole, ready.portal].filter(Boolean).map((u) => new URL(u).host))

/** A person's browser, with sessions of its own. */
async function person() {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  page.on('console', (m) => m.type() === 'error' && !/status of 4\d\d/.test(m.text()) && wrong.push(`console: ${m.text()}`))
  page.on('pageerror', (e) => wrong.push(`page: ${e.stack}`))
  page.on('request', (r) => {
    const url = new URL(r.url())
    if (url.protocol !== 'data:' && url.protocol !== 'blob:' && !own.has(url.host)) wrong.push(`request to ${url.host}`)
  })
  return { context, page }
}

let step = 0
async function look({ context, page }, name) {
  step++
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.waitForTimeout(150)
    if (shots) await page.screenshot({ path: `${shots}/people-${String(step).padStart(2, '0')}-${name}-${colorScheme}.png` })
    // Through the debugger, since the policy of the page refuses inline scripts.
    const cdp = await context.newCDPSession(page)
    await cdp.send('Runtime.evaluate', { expression: axe })
    const { result } = await cdp.send('Runtime.evaluate', {
      expression: `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes[0].html.slice(0, 200))))`,
      awaitPromise: true,
      returnByValue: true,
    })
    await cdp.detach()
    for (const violation of JSON.parse(result.value)) wrong.push(`${name} (${colorScheme}): ${violation}`)
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  process.stdout.write(`ok ${name}\n`)
}

async function choose(page, field, option) {
  await field.click()
  await page.getByRole('option', { name: option }).first().click()
}

try {
  // The first run is on the admin console; the session there is not one here.
  const owner = await person()
  const { page } = owner
  await page.goto(ready.signIn.url)
  await page.getByLabel('Organization').fill('Acme')
  await page.getByLabel('Your name').fill('Lena Kim')
  await page.getByLabel('E-mail').fill('lena@acme.example')
  await page.locator('input[name=password]').fill('a few words are better')
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()

  await page.goto(`${ready.tenantConsole}/roles`)
  await page.getByRole('button', { name: 'Continue' }).first().waitFor()
  await look(owner, 'sign-in')
  await page.locator('input[type=email]').fill('lena@acme.example')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('input[type=password]').fill('a few words are better')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('link', { name: 'Publisher' }).first().waitFor()
  await look(owner, 'roles')

  // An invitation is a link, shown once.
  await page.getByRole('link', { name: 'Users', exact: true }).click()
  await page.getByRole('cell', { name: 'lena@acme.example' }).first().waitFor()
  await look(owner, 'users')
  await page.getByRole('link', { name: 'Invite', exact: true }).click()
  const panel = page.getByRole('dialog')
  await panel.getByLabel('E-mail').fill('sam@acme.example')
  await choose(page, panel.getByLabel('Role', { exact: true }), 'Viewer')
  await look(owner, 'invite')
  await panel.getByRole('button', { name: 'Make the link' }).click()
  await panel.getByRole('button', { name: 'Show', exact: true }).click()
  const link = await panel.getByTestId('secret').innerText()
  await look(owner, 'invite-link')
  await panel.getByRole('button', { name: 'Done' }).click()

  const invited = await person()
  const at = new URL(link.trim())
  await invited.page.goto(`${ready.tenantConsole}/invite${at.hash}`)
  await invited.page.getByText('Join Acme').first().waitFor()
  await look(invited, 'accept')
  await invited.page.locator('input[name=name]').fill('Sam Okoro')
  await invited.page.locator('input[name=password]').fill('another few good words')
  await invited.page.getByRole('button', { name: 'Accept the invitation' }).click()
  await invited.page.waitForURL((u) => u.pathname === '/me')
  await look(invited, 'me')
  await invited.page.goto(`${ready.tenantConsole}/audit`)
  await invited.page.getByText('It takes the permission audit:read').first().waitFor()
  await look(invited, 'not-allowed')

  // A role of one's own, as the copy of another.
  await page.goto(`${ready.tenantConsole}/roles/viewer`)
  await page.getByRole('link', { name: 'Copy to a new role' }).click()
  await page.getByLabel('Short name').fill('deployer')
  await page.getByLabel('Title').fill('Deployer')
  await page.getByRole('checkbox', { name: 'Deploy APIs' }).click()
  await page.getByRole('checkbox', { name: 'Deployments', exact: true }).click()
  await look(owner, 'role-new')
  await page.getByRole('button', { name: 'Create the role' }).click()
  await page.waitForURL((u) => /^\/roles\/[^/]+$/.test(u.pathname) && !u.pathname.endsWith('/new'))

  // The role is given for one project, and the explainer says why.
  await page.goto(`${ready.tenantConsole}/users`)
  await page.getByRole('link', { name: 'Sam Okoro' }).click()
  await page.getByRole('button', { name: 'Give a role' }).click()
  await choose(page, panel.getByText('Choose a role'), 'Deployer')
  await choose(page, panel.getByText('All projects'), 'Default')
  await look(owner, 'grant')
  await panel.getByRole('button', { name: 'Give the role' }).click()
  await page.getByText('by Deployer, in project Default').first().waitFor()
  await look(owner, 'user')
  await page.getByRole('link', { name: 'Access explainer' }).click()
  const who = page.getByRole('main')
  await choose(page, who.getByText('Lena Kim'), 'Sam Okoro')
  await choose(page, who.getByText('Choose a permission'), 'Deploy APIs')
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('No: Deploy APIs').first().waitFor()
  await choose(page, who.getByText('All projects'), 'Default')
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('Yes: Deploy APIs').first().waitFor()
  await look(owner, 'explainer')
  await page.getByRole('link', { name: 'Grants', exact: true }).click()
  await page.getByRole('cell', { name: 'in project Default' }).first().waitFor()
  await look(owner, 'grants')

  // A group in a group: who is in it has what both have, and the explainer says by which.
  for (const name of ['Payments', 'Payments leads']) {
    await page.getByRole('link', { name: 'Groups', exact: true }).click()
    await page.getByRole('button', { name: 'New group' }).first().click()
    await panel.getByLabel('Name').fill(name)
    await panel.getByRole('button', { name: 'Create the group' }).click()
    await page.getByRole('heading', { name, exact: true }).first().waitFor()
  }
  const leads = page.url()
  const main = page.getByRole('main')
  async function put(name) {
    await main.getByText('Choose a user, a service account or a group').click()
    await page.getByPlaceholder('Name or e-mail').last().fill(name)
    await page.getByRole('option', { name }).first().click()
    await page.getByRole('button', { name: 'Add a member' }).click()
    await page.getByRole('cell', { name }).first().waitFor()
  }
  await put('Sam Okoro')
  await page.getByRole('link', { name: 'Groups', exact: true }).click()
  await page.getByRole('link', { name: 'Payments', exact: true }).click()
  await put('Payments leads')
  await page.getByRole('button', { name: 'Give a role' }).click()
  await choose(page, panel.getByText('Choose a role'), 'Auditor')
  await look(owner, 'group-grant')
  await panel.getByRole('button', { name: 'Give the role' }).click()
  await page.getByRole('link', { name: 'Auditor' }).first().waitFor()
  await look(owner, 'group')
  await page.getByRole('link', { name: 'Groups', exact: true }).click()
  await page.getByRole('button', { name: 'Show the groups in Payments', exact: true }).click()
  await page.getByRole('link', { name: 'Payments leads' }).first().waitFor()
  await look(owner, 'groups')
  await page.goto(leads)
  await page.getByRole('main').getByRole('link', { name: 'Payments', exact: true }).first().waitFor()
  await page.getByRole('link', { name: 'Access explainer' }).click()
  await choose(page, who.getByText('Choose a permission'), 'See the audit trail')
  await page.getByRole('button', { name: 'Who can?' }).click()
  await page.getByText('through the group Payments leads, which is in Payments').first().waitFor()
  await look(owner, 'who-can')

  // Who lacks a role asks for it, and has it when it is approved.
  await invited.page.goto(`${ready.tenantConsole}/requests`)
  await invited.page.getByRole('button', { name: 'Ask for a role' }).click()
  const asking = invited.page.getByRole('dialog')
  await choose(invited.page, asking.getByText('Choose a role'), 'Operator')
  await asking.getByLabel('Reason').fill('The gateways move tonight')
  await look(invited, 'request')
  await asking.getByRole('button', { name: 'Ask', exact: true }).click()
  await invited.page.getByText('The gateways move tonight').first().waitFor()
  await page.getByRole('link', { name: 'Access requests' }).click()
  await page.getByText('The gateways move tonight').first().waitFor()
  await look(owner, 'requests')
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByText('Approved', { exact: true }).first().waitFor()

  // Another organization, with a link for its owner.
  await page.getByRole('link', { name: 'Organizations', exact: true }).click()
  await page.getByRole('button', { name: 'New organization' }).click()
  await panel.getByLabel('Name', { exact: true }).fill('Globex')
  await panel.getByLabel('Short name').fill('globex')
  await panel.getByLabel('E-mail of its owner').fill('hank@globex.example')
  await look(owner, 'organization-new')
  await panel.getByRole('button', { name: 'Create the organization' }).click()
  await panel.getByRole('button', { name: 'Show', exact: true }).click()
  assert.match(await panel.getByTestId('secret').innerText(), /\/invite#token=/)
  await panel.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('link', { name: 'Globex' }).first().waitFor()
  await look(owner, 'organizations')
  await page.getByRole('link', { name: 'Globex' }).click()
  await page.getByRole('button', { name: 'Suspend', exact: true }).click()
  await panel.getByRole('button', { name: 'Suspend', exact: true }).click()
  await page.getByRole('button', { name: 'Resume' }).first().waitFor()
  await look(owner, 'organization')

  // A token is shown once, and works.
  await page.getByRole('link', { name: 'Service accounts' }).click()
  await page.getByRole('button', { name: 'New service account' }).first().click()
  await panel.getByLabel('Name').fill('ci-deploy')
  await panel.getByRole('button', { name: 'Create' }).click()
  await page.getByRole('button', { name: 'New token' }).click()
  await panel.getByLabel('Name').fill('pipeline')
  await panel.getByRole('button', { name: 'Make the token' }).click()
  await panel.getByRole('button', { name: 'Show', exact: true }).click()
  const token = (await panel.getByTestId('secret').innerText()).trim()
  assert.match(token, /^ght_/)
  await panel.getByRole('button', { name: 'Done' }).click()
  await page.getByText('pipeline').first().waitFor()
  await look(owner, 'service-account')
  const me = await fetch(`${ready.api}/api/tenant-manager/v1/me`, { headers: { Authorization: `Bearer ${token}` } })
  assert.equal(me.status, 200)
  assert.equal((await me.json()).kind, 'service-account')

  // Who is disabled is out at once.
  await page.goto(`${ready.tenantConsole}/users`)
  await page.getByRole('link', { name: 'Sam Okoro' }).click()
  await page.getByRole('button', { name: 'Disable', exact: true }).click()
  await look(owner, 'disable')
  await panel.getByRole('button', { name: 'Disable', exact: true }).click()
  await page.getByText('Disabled', { exact: true }).first().waitFor()
  await invited.page.goto(`${ready.tenantConsole}/me`)
  await invited.page.getByRole('button', { name: 'Continue' }).first().waitFor()

  // All of it is in the audit log, with what it changed.
  await page.getByRole('link', { name: 'Audit log' }).click()
  await page.getByText('user.disabled').first().waitFor()
  await page.getByRole('button', { name: 'Verify' }).click()
  await page.getByText(/entries are as they were written/).first().waitFor()
  await look(owner, 'audit')
  await page.getByRole('button', { name: 'Details of user.disabled' }).click()
  await panel.getByText('"disabled"').first().waitFor()
  await look(owner, 'audit-entry')
  await page.keyboard.press('Escape')

  // It is searched, shown as it grows, forwarded, and kept for as long as wanted.
  await page.goto(`${ready.tenantConsole}/audit?q=ci-deploy`)
  await page.getByText('service-account.token-created').first().waitFor()
  await page.goto(`${ready.tenantConsole}/audit`)
  await Promise.all([page.waitForRequest((r) => r.url().includes('/bff/live?topics=audit')), page.getByRole('switch', { name: 'Live' }).click()])
  const signIn = await fetch(`${ready.api}/api/tenant-manager/v1/sign-in`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email: 'lena@acme.example', password: 'a few words are better' }) })
  assert.equal(signIn.status, 200)
  const lena = { Authorization: `Bearer ${(await signIn.json()).accessToken}`, 'Content-Type': 'application/json' }
  const done = await fetch(`${ready.api}/api/tenant-manager/v1/service-accounts`, { method: 'POST', headers: lena, body: JSON.stringify({ name: 'seen-live' }) })
  assert.equal(done.status, 201)
  await page.getByText('seen-live').first().waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export' }).click()])
  const lines = readFileSync(await download.path(), 'utf8').trim().split('\n')
  assert.equal(JSON.parse(lines[0]).sequence, 1)
  await page.getByRole('link', { name: 'Retention and forwarding' }).click()
  await page.getByText('Not forwarded').first().waitFor()
  await look(owner, 'audit-keeping')
  await page.getByRole('button', { name: 'New receiver' }).click()
  await panel.getByLabel('Name').fill('SIEM')
  await panel.getByLabel('Address').fill('https://siem.example.com')
  await panel.getByRole('button', { name: 'Forward the audit log' }).click()
  await panel.getByText('it is not an address of syslog').first().waitFor()
  await look(owner, 'audit-receiver')
  await panel.getByLabel('Address').fill('tcp://127.0.0.1:1')
  await panel.getByRole('switch', { name: 'Forward to it' }).click()
  await panel.getByRole('button', { name: 'Forward the audit log' }).click()
  await page.getByRole('button', { name: 'Send a test entry to SIEM' }).click()
  await page.getByText('SIEM did not take a test entry').first().waitFor()
  await choose(page, page.getByText('Ever', { exact: true }), '365 days')
  await page.getByRole('button', { name: 'Save' }).click()
  await look(owner, 'audit-shorten')
  await panel.getByRole('button', { name: 'Keep fewer' }).click()
  await page.getByText('The retention is saved').first().waitFor()
  await look(owner, 'audit-kept')

  // A mail server that is not there: the test says what came of it, and nothing is lost.
  await page.goto(`${ready.tenantConsole}/mail`)
  await page.getByText('None is set: links are shown to administrators.').first().waitFor()
  await page.getByLabel('Server', { exact: true }).fill('localhost')
  await page.getByLabel('Port').fill('9')
  await page.getByLabel('Sender’s address').fill('gatehouse@acme.example')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('As it was saved here.').first().waitFor()
  await page.getByRole('button', { name: 'Send a test' }).click()
  await page.getByText('It was not sent:').first().waitFor()
  await look(owner, 'mail')
  await page.goto(`${ready.tenantConsole}/invitations?new=1`)
  await panel.getByLabel('E-mail').fill('kai@acme.example')
  await choose(page, panel.getByLabel('Role', { exact: true }), 'Viewer')
  await panel.getByRole('button', { name: 'Make the link' }).click()
  await panel.getByText('The link goes to kai@acme.example by mail.').first().waitFor()
  await page.goto(`${ready.tenantConsole}/mail`)
  await page.getByRole('cell', { name: 'kai@acme.example', exact: true }).first().waitFor()
  await page.getByText('connection refused').first().waitFor()
  await look(owner, 'mail-waiting')
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await panel.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('None is set: links are shown to administrators.').first().waitFor()

  // An owner whom the security policy cannot lock out.
  await page.goto(`${ready.tenantConsole}/security`)
  await page.getByText('Nobody is a break-glass account').first().waitFor()
  await look(owner, 'security')
  await page.getByRole('link', { name: 'To the users' }).click()
  await page.getByRole('link', { name: 'Lena Kim' }).click()
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Make break-glass account' }).click()
  await panel.getByRole('button', { name: 'Make break-glass account' }).click()
  await page.getByText('Break-glass account', { exact: true }).first().waitFor()
  await look(owner, 'break-glass')
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await page.getByLabel('Name').fill('Acme Ltd')
  await look(owner, 'settings')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('banner').getByText('Acme Ltd').first().waitFor()
  assert.deepEqual(wrong, [])
  process.stdout.write('people and access: all as it should be\n')
} catch (error) {
  process.exitCode = 1
  for (const [i, p] of browser.contexts().flatMap((c) => c.pages()).entries()) if (shots) await p.screenshot({ path: `${shots}/failed-${i}.png` }).catch(() => {})
  process.stderr.write(`${error.stack}\n${wrong.join('\n')}\n`)
} finally {
  await browser.close()
}
