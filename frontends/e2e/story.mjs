/**
 * The main job of the suite, by clicking: from the one-time link to a rolled back
 * API. Every screen on the way is inspected, and everything is found by what it
 * is and is called, as by a screen reader. Pictures of what fails go into the
 * folder GATEHOUSE_SHOTS, and those of all screens into GATEHOUSE_PICTURES.
 *
 *   gatehouse standalone --data DIR --ready-file ready.json &
 *   npm run e2e -- ready.json
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inspect, open, pictures, still } from './browser.mjs'
import { firstApi } from './first-api.mjs'
import { large } from './large.mjs'
import { addresses, call, callEach, CONSUMER, deployDraft, eventually, importSample, must, newApi, OWNER, secret, setUp, tab } from './suite.mjs'

const at = addresses(process.argv[2])
const shots = process.argv[3] ?? process.env.GATEHOUSE_SHOTS
const hosts = [at.console, at.tenant, at.portal, at.auth].map((url) => new URL(url).host)
const browser = await open({ hosts })
const { wrong } = browser
const admin = await browser.page()
const consumer = await browser.page()
const people = await browser.page()
const main = (page) => page.getByRole('navigation', { name: 'Main' })
const findings = []
/** What is on a page, in the light and in the dark. */
const look = async (page) => {
  findings.push(...(await inspect(page)))
  if (process.env.GATEHOUSE_PICTURES) await pictures(page, process.env.GATEHOUSE_PICTURES, `story-${String(++looked).padStart(2, '0')}`)
}
let looked = 0

let invitation = ''
let key = ''
let calls = 0
let refused = ''
const path = '/petstore/pet/1'
const url = at.traffic + path

/** Makes a key of the application that the consumer looks at. */
async function newKey(name) {
  await consumer.getByRole('button', { name: 'New credential' }).first().click()
  const ask = consumer.getByRole('dialog', { name: 'New credential' })
  await ask.getByLabel('Name').fill(name)
  await ask.getByRole('button', { name: 'New credential' }).click()
  await ask.waitFor({ state: 'hidden' })
  return secret(consumer, new RegExp(name))
}

/** Every step needs those before it. */
const steps = {
  async 'sign in once and set up'() {
    await setUp(admin, at)
    await look(admin)
    await admin.getByRole('button', { name: 'Finish set-up' }).click()
    await admin.getByRole('heading', { name: 'Your first API' }).first().waitFor()
    await look(admin)
  },
  async 'the first API, step by step'() {
    await firstApi(admin, at, look)
  },
  async 'make a project'() {
    await main(admin).getByRole('link', { name: 'Settings' }).click()
    await admin.getByRole('heading', { name: 'Settings', level: 1 }).first().waitFor()
    await admin.getByRole('button', { name: 'New project' }).click()
    const ask = admin.getByRole('dialog', { name: 'New project' })
    await ask.getByLabel('Name', { exact: true }).fill('Pet shop')
    await look(admin)
    await ask.getByRole('button', { name: 'Create the project' }).click()
    await ask.waitFor({ state: 'hidden' })
    await admin.getByRole('navigation', { name: 'Where you are' }).getByText('Pet shop').first().waitFor()
    must(new URL(admin.url()).pathname.startsWith('/pet-shop'), `${admin.url()} is not in the new project`)
    await look(admin)
  },
  async 'import a large document'() {
    await newApi(admin)
    await admin.getByRole('radio', { name: 'File' }).click()
    const [chooser] = await Promise.all([admin.waitForEvent('filechooser'), admin.getByRole('button', { name: 'Choose a file' }).first().click()])
    await chooser.setFiles({ name: 'backoffice.json', mimeType: 'application/json', buffer: Buffer.from(large('https://backoffice.example.com/v4')) })
    await admin.getByText('backoffice.json').first().waitFor()
    await admin.getByRole('button', { name: 'Continue' }).click()
    await admin.getByRole('heading', { name: '520 operations found' }).first().waitFor()
    await look(admin)
    await admin.getByRole('button', { name: 'Make the API' }).click()
    await admin.getByText('Never deployed').first().waitFor()
    await tab(admin, 'Design')
    const table = admin.getByRole('table', { name: 'Operations' })
    await admin.getByText('520 of 520').first().waitFor()
    await look(admin)
    await admin.getByRole('button', { name: 'Next' }).click()
    await admin.getByText('51–100').first().waitFor()
    await admin.getByRole('combobox', { name: /^Search/ }).fill('tag:warehouse method:delete events')
    await admin.getByText('1 of 520').first().waitFor()
    await table.getByRole('row', { name: /Clear warehouse events/ }).waitFor()
    must(new URL(admin.url()).searchParams.get('q'), 'the search is not in the address')
    await look(admin)
  },
  async 'import the document'() {
    await importSample(admin, at)
    await look(admin)
    await admin.getByLabel('Short name').fill('petstore')
    await admin.getByLabel('Base path').fill('/petstore')
    await admin.getByRole('button', { name: 'Make the API' }).click()
    await admin.getByText('Never deployed').first().waitFor()
    await look(admin)
  },
  async 'a credential for the upstream'() {
    await tab(admin, 'Upstreams')
    await admin.getByRole('combobox', { name: 'Credential' }).click()
    await admin.getByRole('option', { name: 'User name and password' }).click()
    await admin.getByRole('textbox', { name: 'User name' }).fill('gate:house')
    // Nothing allows references here, so that it is refused, and where.
    await admin.getByRole('radio', { name: 'A reference' }).first().click()
    await admin.locator('input[name=credentialReference]').fill('vault:secret/petstore#password')
    const save = admin.getByRole('button', { name: 'Save', exact: true })
    await save.click()
    await admin.getByText('a user name has neither colons').last().waitFor()
    await admin.locator('input[name=credentialReference][aria-invalid=true]').waitFor()
    await look(admin)
    await admin.getByRole('textbox', { name: 'User name' }).fill('gatehouse')
    await admin.getByRole('radio', { name: 'The secret itself' }).first().click()
    await admin.locator('input[name=credential]').fill('open the gate')
    await admin.getByRole('switch', { name: 'Client certificate' }).click()
    await admin.locator('textarea[name=certificate]').waitFor()
    await look(admin)
    await admin.getByRole('switch', { name: 'Client certificate' }).click()
    await save.click()
    await admin.getByPlaceholder('Stored; it is not shown.').waitFor()
    must((await admin.locator('input[name=credential]').inputValue()) === '', 'the password is shown')
    await look(admin)
    await admin.getByRole('textbox', { name: 'User name' }).fill('somebody')
    await admin.getByText('Give it again').first().waitFor()
    await admin.getByRole('button', { name: 'Discard' }).click()
    await admin.getByRole('combobox', { name: 'Credential' }).click()
    await admin.getByRole('option', { name: 'None' }).click()
    await save.click()
    await save.and(admin.locator(':disabled')).waitFor()
    // The one refusal of this walk, which browsers report.
    const refusal = wrong.findIndex((w) => /\/upstreams says: .* status of 422/.test(w))
    must(refusal >= 0, 'a wrong credential was not refused')
    wrong.splice(refusal, 1)
  },
  async 'make a plan'() {
    await tab(admin, 'Plans')
    await admin.getByRole('heading', { name: 'Nobody may call this API yet' }).first().waitFor()
    await look(admin)
    await admin.getByRole('button', { name: 'New plan' }).first().click()
    const panel = admin.getByRole('dialog', { name: 'New plan' })
    await panel.getByLabel('Name', { exact: true }).fill('Bronze')
    await panel.getByRole('switch', { name: 'Rate limit of each subscription' }).click()
    await panel.getByLabel('Requests').fill('1000')
    await look(admin)
    await panel.getByRole('button', { name: 'Create as draft' }).click()
    await panel.waitFor({ state: 'hidden' })
    const row = admin.getByRole('row', { name: /Bronze/ })
    await row.getByRole('button', { name: 'Publish' }).click()
    await row.getByText('published').first().waitFor()
    await look(admin)
  },
  async 'deploy, acknowledged by the gateway'() {
    const panel = await deployDraft(admin, 'first')
    await look(admin)
    await panel.getByRole('button', { name: /^Deploy to / }).click()
    await panel.getByText(/^(\d+) of \1 gateways have it/).first().waitFor()
    await look(admin)
    await panel.getByRole('button', { name: 'Close' }).last().click()
    await panel.waitFor({ state: 'hidden' })
  },
  async 'publish in the portal'() {
    await tab(admin, 'Settings')
    await look(admin)
    await admin.getByRole('button', { name: 'Publish', exact: true }).click()
    await admin.getByRole('main').getByText('published', { exact: true }).first().waitFor()
  },
  async 'invite a consumer'() {
    await people.goto(at.tenant)
    await people.getByLabel('E-mail').fill(OWNER.email)
    await people.getByRole('button', { name: 'Continue' }).click()
    await people.getByRole('textbox', { name: 'Password' }).fill(OWNER.password)
    await look(people)
    await people.getByRole('button', { name: 'Sign in', exact: true }).click()
    await people.getByRole('heading', { name: 'Overview', level: 1 }).first().waitFor()
    await main(people).getByRole('link', { name: 'Invitations' }).click()
    await people.getByRole('heading', { name: 'Invitations', level: 1 }).first().waitFor()
    await look(people)
    await people.getByRole('button', { name: 'Invite' }).first().click()
    const panel = people.getByRole('dialog')
    await panel.getByLabel('E-mail').fill(CONSUMER.email)
    await panel.getByRole('combobox', { name: 'Role', exact: true }).click()
    await people.getByRole('option', { name: 'Consumer' }).click()
    await panel.getByRole('radio', { name: /portal/i }).click()
    await look(people)
    await panel.getByRole('button', { name: /^(Invite|Make the)/ }).click()
    invitation = await secret(panel, /link/i)
    must(invitation.startsWith(at.portal), `the invitation ${invitation} does not lead to the portal`)
    await look(people)
  },
  async 'accept the invitation in the portal'() {
    await consumer.goto(invitation)
    await consumer.getByText(CONSUMER.email).first().waitFor()
    await consumer.getByLabel('Your name').fill(CONSUMER.name)
    await consumer.getByRole('textbox', { name: 'Password' }).fill(CONSUMER.password)
    await look(consumer)
    await consumer.getByRole('button', { name: 'Join' }).click()
    await consumer.getByRole('button', { name: `Account of ${CONSUMER.name}` }).first().waitFor()
    await look(consumer)
  },
  async 'find the API and read an operation'() {
    // The API of the wizard has the same operations.
    const card = consumer.getByRole('article').filter({ has: consumer.getByRole('heading', { name: 'Petstore' }) })
    const found = card.getByRole('link', { name: /Find a pet by its number/ })
    // The portal learns by an event what was published: it may be a moment behind.
    await eventually('the API is not in the catalogue', async () => {
      await consumer.goto(`${at.portal}/`)
      await consumer.getByRole('searchbox', { name: /Search APIs/ }).or(consumer.getByRole('textbox', { name: /Search APIs/ })).fill('pet by number')
      await consumer.getByRole('button', { name: 'Search', exact: true }).click()
      await consumer.getByRole('heading', { name: 'APIs', level: 1 }).first().waitFor()
      await found.or(consumer.getByText('Nothing matches')).or(consumer.getByText('No API is published yet')).first().waitFor()
      return { ok: await found.first().isVisible(), value: consumer.url() }
    })
    await look(consumer)
    await found.first().click()
    await consumer.getByRole('heading', { name: 'Find a pet by its number', level: 1 }).first().waitFor()
    await consumer.getByRole('heading', { name: 'Try it' }).first().waitFor()
    await look(consumer)
    await consumer.getByRole('link', { name: 'Overview' }).click()
    await consumer.getByRole('heading', { name: 'Plans and limits' }).first().waitFor()
    await look(consumer)
  },
  async 'subscribe with a new application'() {
    await consumer.getByRole('link', { name: /^Subscribe.*Bronze/ }).click()
    await consumer.getByLabel('Name').fill('Storefront')
    await look(consumer)
    await consumer.getByRole('button', { name: 'Subscribe' }).click()
    await consumer.getByRole('heading', { name: 'You can call it now' }).first().waitFor()
    key = await secret(consumer, /^Key /)
    must(key.length >= 32 && !key.includes('•'), `${key} is no key`)
    await look(consumer)
  },
  async 'try it'() {
    await consumer.getByRole('link', { name: 'Try it' }).click()
    await consumer.getByRole('navigation', { name: 'Contents' }).getByRole('link', { name: /Find a pet by its number/ }).click()
    const panel = consumer.getByRole('region', { name: 'Try it' })
    await panel.getByLabel(/petId/).fill('1')
    await panel.getByText('Storefront').first().waitFor()
    await panel.getByRole('button', { name: 'Send' }).click()
    await panel.getByText('200', { exact: true }).first().waitFor()
    await panel.getByText('Bella').first().waitFor()
    calls++
    await look(consumer)
  },
  async 'call through the gateways'() {
    await callEach(at, path, key, 200)
    calls += at.gateways.length
    await callEach(at, path, '', 401)
    await callEach(at, path, 'ghk_invented', 401)
  },
  async 'a key of an application that is not subscribed'() {
    await main(consumer).getByRole('link', { name: 'Applications' }).click()
    await consumer.getByRole('heading', { name: 'Applications', level: 1 }).first().waitFor()
    await consumer.getByRole('button', { name: 'Create application' }).first().click()
    const ask = consumer.getByRole('dialog', { name: 'Create application' })
    await ask.getByLabel('Name').fill('Reports')
    await ask.getByRole('button', { name: 'Create application' }).click()
    await consumer.getByRole('heading', { name: 'Reports', level: 1 }).first().waitFor()
    await look(consumer)
    await callEach(at, path, await newKey('first'), 403)
    await look(consumer)
  },
  async 'own usage in the portal'() {
    await main(consumer).getByRole('link', { name: 'Applications' }).click()
    await consumer.getByRole('heading', { name: 'Applications', level: 1 }).first().waitFor()
    await consumer.getByRole('link', { name: 'Storefront' }).click()
    await consumer.getByRole('heading', { name: 'Storefront', level: 1 }).first().waitFor()
    must(!(await consumer.content()).includes(key), 'the key is shown twice')
    await look(consumer)
    await consumer.getByRole('link', { name: 'Subscriptions' }).click()
    await consumer.getByText('Plan Bronze').first().waitFor()
    await look(consumer)
    await consumer.getByRole('link', { name: 'Usage' }).click()
    await consumer.getByRole('table', { name: 'Operations' }).getByRole('row', { name: new RegExp(`/pet/\\{petId\\} ${calls} `) }).first().waitFor()
    await look(consumer)
  },
  async 'live usage in the admin console'() {
    await tab(admin, 'Traffic')
    await admin.getByRole('table', { name: 'By application' }).getByRole('link', { name: 'Storefront' }).first().waitFor()
    await look(admin)
    const count = async () => Number((await admin.getByRole('table', { name: 'By application' }).getByRole('row', { name: /Storefront/ }).getByRole('cell').nth(1).innerText()).replace(/\D/g, ''))
    const before = await count()
    for (let i = 0; i < 5; i++, calls++) await call(url, key, 200)
    await eventually('the page does not count new calls', async () => {
      const n = await count()
      return { ok: n >= before + 5, value: { before, now: n } }
    })
    await tab(admin, 'Overview')
    await admin.getByRole('heading', { name: 'Where it is live' }).first().waitFor()
    await look(admin)
  },
  async 'lower the limit and deploy the change'() {
    await tab(admin, 'Plans')
    await admin.getByRole('row', { name: /Bronze/ }).getByRole('link').click()
    const panel = admin.getByRole('dialog', { name: 'Plan Bronze' })
    await panel.getByLabel('Requests').fill('2')
    await panel.getByLabel('Time', { exact: true }).fill('1h')
    await panel.getByRole('button', { name: 'Save' }).click()
    await panel.waitFor({ state: 'hidden' })
    await admin.getByText('1 change not live yet').first().waitFor()
    await admin.getByRole('link', { name: 'Review' }).click()
    const diff = admin.getByRole('dialog')
    await diff.getByRole('heading', { name: 'Line by line' }).first().waitFor()
    await look(admin)
    await diff.getByRole('button', { name: 'Close' }).first().click()
    await diff.waitFor({ state: 'hidden' })
    const deploying = await deployDraft(admin, 'fewer')
    await deploying.getByRole('button', { name: /^Deploy to / }).click()
    await deploying.getByText(/^(\d+) of \1 gateways have it/).first().waitFor()
    await deploying.getByRole('button', { name: 'Close' }).last().click()
    await deploying.waitFor({ state: 'hidden' })
    refused = (await call(url, key, 429)).id
  },
  async 'find the refused request in the logs, and why'() {
    await main(admin).getByRole('link', { name: 'Logs' }).click()
    await admin.getByRole('heading', { name: 'Logs', level: 1 }).first().waitFor()
    await admin.getByRole('combobox', { name: /^Search/ }).fill(`request:${refused}`)
    await eventually('the request is not in the logs', async () => {
      const there = await admin.getByRole('row', { name: /rate-limit/ }).first().isVisible()
      if (!there) await admin.getByRole('button', { name: /Live|Pause/ }).click()
      return { ok: there, value: admin.url() }
    })
    await look(admin)
    await admin.getByRole('row', { name: /rate-limit/ }).first().getByRole('link').click()
    await admin.getByRole('heading', { name: 'What happened' }).first().waitFor()
    await admin.getByText(/rate-limit/).first().waitFor()
    await look(admin)
  },
  async 'revoke the key in the portal'() {
    await consumer.getByRole('link', { name: 'Credentials' }).click()
    await consumer.getByRole('button', { name: /^Revoke / }).click()
    const ask = consumer.getByRole('dialog')
    await look(consumer)
    // From the moment that the page is told it is done, every gateway has two seconds.
    await Promise.all([consumer.waitForResponse((r) => r.request().method() === 'DELETE' && r.url().includes('/credentials/') && r.status() === 204), ask.getByRole('button', { name: 'Revoke' }).click()])
    console.log(`     the key is refused by all gateways after ${await callEach(at, path, key, 401, 2000)} ms`)
    await consumer.getByRole('heading', { name: 'No credential works at the moment' }).first().waitFor()
    await look(consumer)
    key = await newKey('second')
    await callEach(at, path, key, 429)
  },
  async 'roll back'() {
    await main(admin).getByRole('link', { name: 'APIs' }).click()
    await admin.getByRole('row', { name: /petstore/i }).first().waitFor()
    await look(admin)
    await admin.getByRole('row', { name: /petstore/i }).getByRole('link').click()
    await tab(admin, 'Deployments')
    await admin.getByRole('table', { name: 'Revisions' }).getByRole('row', { name: /first/ }).getByRole('button', { name: 'Deploy this' }).click()
    const panel = admin.getByRole('dialog', { name: 'Go back to revision 1' })
    await panel.getByRole('heading', { name: 'What changes there' }).first().waitFor()
    await look(admin)
    await panel.getByRole('button', { name: /^Roll back / }).click()
    await panel.getByText(/^(\d+) of \1 gateways have it/).first().waitFor()
    await panel.getByRole('button', { name: 'Close' }).last().click()
    await panel.waitFor({ state: 'hidden' })
    await admin.getByRole('table', { name: 'History' }).getByRole('row', { name: /revision 1/ }).first().getByText('live', { exact: true }).first().waitFor()
    // The limit is the first one again.
    for (let i = 0; i < 4; i++) await callEach(at, path, key, 200)
    await look(admin)
  },
  async 'the other screens'() {
    for (const [name, heading] of [['Design', 'Find a pet by its number'], ['Upstreams', 'Target 1'], ['Consumers', 'Storefront'], ['Policies', '+ policy']]) {
      await tab(admin, name)
      await admin.getByText(heading).or(admin.getByLabel(heading)).first().waitFor()
      await look(admin)
    }
    await admin.getByRole('button', { name: '+ policy' }).first().click()
    await admin.getByPlaceholder('Search by name or purpose').fill('rate-limit')
    await look(admin)
    await admin.getByRole('button', { name: /^rate-limit/ }).first().click()
    await admin.getByLabel('Only when').first().waitFor()
    await look(admin)
    await admin.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await admin.getByRole('dialog').waitFor({ state: 'hidden' })
    await admin.keyboard.press('Control+k')
    await admin.getByPlaceholder('Search or run a command').fill('petstore')
    await admin.getByRole('option', { name: /Petstore/ }).first().waitFor()
    await look(admin)
    await admin.keyboard.press('Escape')
    await admin.getByRole('dialog').waitFor({ state: 'hidden' })
    for (const [link, heading] of [['Home', 'Home'], ['Applications', 'Applications'], ['Subscriptions', 'Subscriptions'], ['Traffic', 'Traffic'], ['Gateways', 'Gateways'], ['Environments', 'Environments'], ['Settings', 'Settings']]) {
      await main(admin).getByRole('link', { name: link, exact: true }).click()
      await admin.getByRole('heading', { name: heading, level: 1 }).first().waitFor()
      await still(admin)
      await look(admin)
    }
  },
  async 'sign out'() {
    await admin.getByRole('button', { name: `Account of ${OWNER.name}` }).click()
    await admin.getByRole('menuitem', { name: 'Sign out' }).click()
    await admin.getByRole('heading', { name: 'Sign in' }).first().waitFor()
    await look(admin)
    await consumer.getByRole('button', { name: `Account of ${CONSUMER.name}` }).click()
    await consumer.getByRole('menuitem', { name: 'Sign out' }).click()
    await consumer.getByRole('button', { name: 'Sign in' }).first().waitFor()
    await look(consumer)
  },
}

let failed = false
for (const [name, step] of Object.entries(steps)) {
  const begun = performance.now()
  try {
    await step()
    console.log(`ok   ${name} (${Math.round(performance.now() - begun)} ms)`)
  } catch (error) {
    failed = true
    console.log(`FAIL ${name}\n${error.stack ?? error}`)
    if (shots) {
      mkdirSync(shots, { recursive: true })
      for (const [who, page] of Object.entries({ admin, consumer, people })) {
        if (page.url() === 'about:blank') continue
        console.log(`  ${who} is at ${page.url()}`)
        await page.screenshot({ path: join(shots, `${who}.png`), fullPage: true }).catch((e) => console.log(`  no picture: ${e.message}`))
      }
    }
    break
  }
}
for (const text of [...new Set(findings)]) console.log(`NOT ACCESSIBLE ${text}`)
for (const text of [...new Set(wrong)]) console.log(`WRONG ${text}`)
await browser.close()
process.exitCode = failed || findings.length || wrong.length ? 1 : 0
