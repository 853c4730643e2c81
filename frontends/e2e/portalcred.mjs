// An OAuth 2.0 client as credential of an application, by clicking, in a real browser
// against a real Gatehouse that was never set up: a plan that takes tokens of this
// organization, the client, shown once, a call with it, another secret, and what the
// auth console shows of it.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:portalcred -- ready.json [folder for screenshots]
import { readFileSync } from 'node:fs'
import { looker, open } from './browser.mjs'
import { addresses, eventually, must, OWNER, secret } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const { api } = JSON.parse(readFileSync(readyFile, 'utf8'))
const browser = await open({ hosts: [at.console, at.tenant, at.portal, at.auth].map((u) => new URL(u).host) })
const wrong = browser.wrong
const look = looker('portalcred', shots, wrong)

/** Calls a service as somebody, for what other walks click through. */
const as = (token) => async (method, path, body, header = {}) => {
  const answer = await fetch(`${api}/api/${path}`, {
    method,
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}), ...header },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  must(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}
// Once: the portal and the other console know it then.
const signIn = async (page, address) => {
  await page.goto(address)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

try {
  const once = await as()('POST', 'tenant-manager/v1/sign-in/one-time', { code: new URLSearchParams(new URL(at.signIn).hash.slice(1)).get('code') })
  await as(once.accessToken)('POST', 'tenant-manager/v1/setup', { organizationName: 'Acme', ...OWNER })
  const owner = as((await as()('POST', 'tenant-manager/v1/sign-in', { email: OWNER.email, password: OWNER.password })).accessToken)
  await owner('POST', 'tenant-manager/v1/oauth/scopes', { name: 'pets:read', title: 'Read pets' })
  const project = (await owner('GET', 'gateway-manager/v1/projects')).items[0] ?? (await owner('POST', 'gateway-manager/v1/projects', { slug: 'shop', name: 'Shop' }))
  const made = (await owner('POST', 'gateway-manager/v1/apis/import', { project: project.id, url: at.sample, slug: 'pets', basePath: '/pets' })).api

  // The publisher chooses, and everything is filled in.
  const page = await browser.page()
  await signIn(page, `${at.console}/${project.slug}/apis/${made.slug}/plans`)
  await page.getByRole('button', { name: 'New plan' }).first().click()
  const panel = page.getByRole('dialog', { name: 'New plan' })
  await panel.getByLabel('Name', { exact: true }).fill('Machines')
  await panel.getByLabel('Callers show').click()
  await page.getByRole('option', { name: 'a token of this organization (OAuth 2.0)' }).click()
  await eventually('the issuer is not filled in', async () => ({ ok: (await panel.getByTestId('issuer').innerText()).includes('/oauth/'), value: '' }))
  await panel.getByLabel('Scopes that a token must have').fill('pets:read')
  await look(page, 'plan')
  await panel.getByRole('button', { name: 'Create as draft' }).click()
  await panel.waitFor({ state: 'hidden' })
  const row = page.getByRole('row', { name: /Machines/ })
  await row.getByRole('button', { name: 'Publish' }).click()
  await row.getByText('published').first().waitFor()
  await owner('POST', `gateway-manager/v1/apis/${made.id}/deployments`, { environment: 'dev' })
  await owner('POST', `gateway-manager/v1/apis/${made.id}/publish`, undefined, { 'If-Match': '*' })

  // The consumer gets a client for it, shown once.
  await eventually('the catalogue has no plan', async () => {
    const answer = await fetch(`${api}/api/devportal-backend/v1/catalogue`, { headers: { Authorization: `Bearer ${(await as()('POST', 'tenant-manager/v1/sign-in', { email: OWNER.email, password: OWNER.password })).accessToken}` } })
    const value = await answer.json()
    return { ok: value.items?.some((a) => a.plans.length > 0), value }
  })
  await page.goto(`${at.portal}/apis/pets/subscribe`)
  await page.getByTestId('app-name').fill('Batch')
  await look(page, 'subscribe')
  await page.getByTestId('subscribe').click()
  const client = await page.getByTestId('client-id').innerText()
  const first = await secret(page, 'Client secret')
  must(first.startsWith('ghcs_'), `${first} is no secret`)
  await look(page, 'client')

  // Other kinds, and which plan takes which.
  await page.getByRole('link', { name: 'Go to the application' }).click()
  await page.getByText(client).first().waitFor()
  await page.getByRole('button', { name: 'New credential' }).click()
  const ask = page.getByRole('dialog', { name: 'New credential' })
  await ask.getByText('Taken by Machines of').first().waitFor()
  must(await ask.getByRole('radio', { name: /^OAuth 2.0 client/ }).isChecked(), 'the kind that a plan takes is not chosen')
  await look(page, 'kinds')
  await ask.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Rotate Swagger Petstore' }).or(page.getByRole('button', { name: /^Rotate / })).first().click()
  await page.getByRole('alertdialog').or(page.getByRole('dialog')).getByRole('button', { name: 'Rotate' }).click()
  must((await secret(page, 'Client secret')) !== first, 'the secret is the same')
  await page.getByText('the secret before works').first().waitFor()
  await look(page, 'rotated')

  // The portal calls with a token of the application.
  await page.goto(`${at.portal}/apis/pets/operations/getInventory`)
  await page.getByText('The portal gets a token for this application').first().waitFor()
  await eventually('the call from the portal is not answered 200', async () => {
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    const status = page.locator('form [role=status]').first()
    await status.waitFor()
    const value = await status.innerText()
    return { ok: value.includes('200'), value }
  })
  await look(page, 'tried')

  // The auth console says whose it is.
  await page.goto(`${at.tenant}/auth/clients/${client}`)
  await page.getByTestId('held').getByText('Batch').first().waitFor()
  must((await page.getByRole('button', { name: 'Edit' }).count()) === 0, 'a client of an application can be changed')
  await look(page, 'held')
  await page.goto(`${at.tenant}/auth/clients`)
  await page.getByRole('cell', { name: 'Batch', exact: true }).first().waitFor()
  await look(page, 'list')
} catch (error) {
  if (shots) await browser.pictures(shots)
  wrong.push(error.stack ?? String(error))
} finally {
  await browser.close()
}
if (wrong.length) {
  console.error(wrong.join('\n'))
  process.exit(1)
}
