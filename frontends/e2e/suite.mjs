/** The suite under the eyes of a browser: its addresses, its people, and the ways through its screens that are taken often. */
import { readFileSync } from 'node:fs'
import { PATIENCE } from './browser.mjs'

/** Where the suite runs, and how to sign in once: from its ready file, or from the environment. */
export function addresses(readyFile) {
  const ready = readyFile ? JSON.parse(readFileSync(readyFile, 'utf8')) : {}
  const one = (value, name) => {
    const found = value ?? process.env[name]
    if (!found) throw new Error(`the environment variable ${name} is missing; name a ready file instead, of a suite that was not set up yet`)
    return found
  }
  const traffic = one(ready.traffic, 'GATEHOUSE_TRAFFIC')
  return {
    console: one(ready.console, 'GATEHOUSE_CONSOLE'),
    tenant: one(ready.tenantConsole, 'GATEHOUSE_TENANT_CONSOLE'),
    portal: one(ready.portal, 'GATEHOUSE_PORTAL'),
    // Where people sign in, for all of them.
    auth: one(ready.authConsole, 'GATEHOUSE_AUTH_CONSOLE'),
    traffic,
    // Each gateway by itself, where there are several behind one address.
    gateways: ready.traffics ?? process.env.GATEHOUSE_TRAFFICS?.split(',') ?? [traffic],
    sample: one(ready.sample, 'GATEHOUSE_SAMPLE'),
    signIn: one(ready.signIn?.url, 'GATEHOUSE_SIGN_IN'),
  }
}

export const OWNER = { name: 'Olga Petrova', email: 'olga@example.com', password: 'correct horse battery staple 7' }
export const CONSUMER = { name: 'Carla Jensen', email: 'carla@example.com', password: 'a quiet walk along the river 3' }

/** Fails, saying what. */
export function must(holds, what) {
  if (!holds) throw new Error(what)
}

/** Asks again until the answer is as wanted; fails after PATIENCE, saying what and the last answer. */
export async function eventually(what, ask, within = PATIENCE) {
  const end = performance.now() + within
  let last
  do {
    last = await ask()
    if (last.ok) return last.value
    await new Promise((again) => setTimeout(again, 50))
  } while (performance.now() < end)
  throw new Error(`${what}; the last answer was ${JSON.stringify(last.value)}`)
}

/** Calls a gateway from outside of any page, and waits for a status. */
export async function call(url, key, status, within = PATIENCE) {
  return eventually(
    `${url} is not answered ${status}`,
    async () => {
      const answer = await fetch(url, { headers: key ? { 'X-API-Key': key } : {} })
      const text = await answer.text()
      return { ok: answer.status === status, value: { status: answer.status, id: answer.headers.get('x-request-id'), text: text.slice(0, 300) } }
    },
    within,
  )
}

/** Calls a path on every gateway at once, and waits until each answers with a status. Returns how long that took, in milliseconds. */
export async function callEach(at, path, key, status, within = PATIENCE) {
  const begun = performance.now()
  await Promise.all(at.gateways.map((gateway) => call(gateway + path, key, status, within)))
  return Math.round(performance.now() - begun)
}

/** Completes the first run with the one-time link. */
export async function setUp(page, at) {
  await page.goto(at.signIn)
  await page.getByRole('heading', { name: 'Set up Gatehouse' }).first().waitFor()
  await page.getByLabel('Organization').fill('Acme')
  await page.getByLabel('Your name').fill(OWNER.name)
  await page.getByLabel('E-mail').fill(OWNER.email)
  await page.getByRole('textbox', { name: 'Password' }).fill(OWNER.password)
}

/** Goes to the form of a new API. */
export async function newApi(page) {
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'APIs' }).click()
  await page.getByRole('link', { name: 'New API' }).first().click()
}

/** Fills the form that makes an API of the sample's document. */
export async function importSample(page, at) {
  await newApi(page)
  await page.getByRole('radio', { name: 'Address' }).click()
  await page.getByLabel('Address of the document').fill(at.sample)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('heading', { name: '19 operations found' }).first().waitFor()
}

/** Opens one of the tabs of an entity. */
export async function tab(page, name) {
  await page.getByRole('main').getByRole('link', { name, exact: true }).first().click()
}

/** Deploys the draft from the bar above the tabs, and waits until all gateways have it. */
export async function deployDraft(page, message) {
  await page.getByRole('button', { name: /^Deploy to / }).first().click()
  const panel = page.getByRole('dialog')
  await panel.getByLabel('Message').fill(message)
  return panel
}

/** Reads a secret that is shown once. */
export async function secret(scope, label) {
  const group = scope.getByRole('group', { name: label })
  await group.getByRole('button', { name: 'Show' }).click()
  await group.getByRole('button', { name: 'Hide' }).first().waitFor()
  return (await group.locator('code').innerText()).trim()
}
