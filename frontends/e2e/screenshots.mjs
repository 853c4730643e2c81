/**
 * Makes the pictures of the documentation from a suite that was not set up yet:
 * sets it up over HTTP, calls an API as its consumers would, and photographs the
 * screens in the light and in the dark.
 *
 *   gatehouse standalone --data DIR --ready-file ready.json &
 *   npm run screenshots -- ready.json [FOLDER]
 */
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { open, still } from './browser.mjs'
import { addresses, call, CONSUMER, deployDraft, eventually, OWNER, tab } from './suite.mjs'

const [readyFile, folder = 'screenshots'] = process.argv.slice(2)
const at = addresses(readyFile)
const { api } = JSON.parse(readFileSync(readyFile, 'utf8'))
mkdirSync(folder, { recursive: true })

/** A program that calls the services as somebody. */
const as = (token) => async (method, path, body, header = {}) => {
  const answer = await fetch(`${api}/api/${path}`, {
    method,
    headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(body ? { 'Content-Type': 'application/json' } : {}), ...header },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text ? JSON.parse(text) : undefined
}
const anyone = as()
const once = await anyone('POST', 'tenant-manager/v1/sign-in/one-time', { code: new URLSearchParams(new URL(at.signIn).hash.slice(1)).get('code') })
await as(once.accessToken)('POST', 'tenant-manager/v1/setup', { organizationName: 'Acme', ...OWNER })
const owner = as((await anyone('POST', 'tenant-manager/v1/sign-in', { email: OWNER.email, password: OWNER.password })).accessToken)
const roles = (await owner('GET', 'tenant-manager/v1/roles?limit=200')).items
const invitation = await owner('POST', 'tenant-manager/v1/invitations', { email: CONSUMER.email, to: 'portal', roles: [{ role: roles.find((r) => r.name === 'consumer').id }] })
const consumer = as((await anyone('POST', `tenant-manager/v1/invitations/by-token/${invitation.token}/accept`, { name: CONSUMER.name, password: CONSUMER.password })).accessToken)

const project = await eventually('there is no project', async () => {
  const { items } = await owner('GET', 'gateway-manager/v1/projects')
  return { ok: items.length > 0, value: items[0]?.id }
})
const made = (await owner('POST', 'gateway-manager/v1/apis/import', { project, url: at.sample, slug: 'petstore', name: 'Petstore', basePath: '/petstore' })).api
const plan = async (slug, name, limit, text) => {
  const p = await owner('POST', `policy-manager/v1/apis/${made.id}/plans`, { slug, name, description: text, security: { type: 'api-key' }, approval: 'automatic', limits: { rateLimit: { limit, window: '1m' } } })
  return owner('POST', `policy-manager/v1/plans/${p.id}/publish`, undefined, { 'If-Match': `"${p.version}"` })
}
const bronze = await plan('bronze', 'Bronze', 60, 'For trying out and small programs.')
const gold = await plan('gold', 'Gold', 6000, 'For production.')
const environment = (await owner('GET', 'gateway-manager/v1/environments')).items.find((e) => e.slug === 'dev')
const deployed = await owner('POST', `gateway-manager/v1/apis/${made.id}/deployments`, { environment: environment.id, message: 'First version' })
await eventually('the deployment is not live', async () => {
  const d = await owner('GET', `gateway-manager/v1/deployments/${deployed.id}`)
  return { ok: d.state === 'live', value: d.state }
})
await owner('POST', `gateway-manager/v1/apis/${made.id}/publish`)
const subscribe = (to, name) =>
  eventually('nobody can subscribe', async () => {
    try {
      return { ok: true, value: (await consumer('POST', 'devportal-backend/v1/subscriptions', { plan: to.id, newApplication: { name }, createKey: true })).credential.key }
    } catch (error) {
      return { ok: false, value: error.message }
    }
  })
const keys = { storefront: await subscribe(gold, 'storefront-web'), warehouse: await subscribe(gold, 'warehouse'), trial: await subscribe(bronze, 'mobile-trial') }
const url = `${at.traffic}/petstore`
for (const key of Object.values(keys)) await call(`${url}/pet/1`, key, 200)
const get = async (path, key) => {
  const answer = await fetch(url + path, { headers: key ? { 'X-API-Key': key } : {} })
  await answer.arrayBuffer()
  return { status: answer.status, id: answer.headers.get('x-request-id') }
}
for (let i = 0; i < 240; i++) await get(['/pet/1', '/pet/2', '/pet/findByStatus?status=available', '/store/inventory', '/pet/404'][i % 17 === 0 ? 4 : i % 4], i % 3 ? keys.storefront : keys.warehouse)
for (let i = 0; i < 6; i++) await get('/store/inventory', '')
let refused
for (let i = 0; i < 80; i++) {
  const answer = await get('/pet/findByStatus?status=sold', keys.trial)
  if (answer.status === 429) refused = answer.id
}
await eventually('the calls are not counted', async () => {
  const report = await owner('GET', `analysis-manager/v1/usage?api=${made.id}`)
  return { ok: report.total.requests >= 320, value: report.total.requests }
})

const browser = await open({ hosts: [at.console, at.tenant, at.portal].map((x) => new URL(x).host) })
const page = await browser.page()
const shoot = async (name) => {
  await page.getByText('Loading…').first().waitFor({ state: 'hidden' })
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    await page.mouse.move(0, 0)
    await still(page)
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) })
  }
}
const signIn = async (origin, who) => {
  await page.goto(`${origin}/sign-in`)
  await page.getByLabel('E-mail').fill(who.email)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('textbox', { name: 'Password' }).fill(who.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('button', { name: `Account of ${who.name}` }).waitFor()
}

await signIn(at.console, OWNER)
await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'APIs' }).click()
await page.getByRole('link', { name: /^Petstore/ }).click()
await page.getByRole('table', { name: /Who calls it/ }).waitFor()
await shoot('api-overview')

await owner('PATCH', `policy-manager/v1/plans/${bronze.id}`, { limits: { rateLimit: { limit: 120, window: '1m' } } }, { 'If-Match': `"${bronze.version}"` })
await tab(page, 'Deployments')
const panel = await deployDraft(page, 'Twice as much for those who try it out')
await panel.getByRole('button', { name: /^Deploy to / }).click()
await panel.getByText(/^(\d+) of \1 gateways have it/).waitFor()
await shoot('deployment')

await page.goto(`${at.console}/default/logs/${refused}`)
await page.getByRole('heading', { name: 'What happened' }).waitFor()
await shoot('explain')

await signIn(at.portal, CONSUMER)
await page.goto(`${at.portal}/apis/petstore/operations/getPetById`)
await page.getByLabel(/petId/).fill('1')
await page.getByRole('button', { name: 'Send' }).click()
await page.getByText('200', { exact: true }).first().waitFor()
await shoot('portal')
await browser.close()
