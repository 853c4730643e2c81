// The auth console by clicking, in a real browser against a real Gatehouse that
// was never set up: scopes, clients, keys, and an application that signs somebody
// in. Every screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:auth -- ready.json [folder for screenshots]
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { looker, open } from './browser.mjs'
import { addresses, must, OWNER, secret, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const { authConsole: auth, api: direct } = JSON.parse(readFileSync(readyFile, 'utf8'))

/** Sends a form, or with a token JSON, to the authorization server, from outside of any page. */
function form(path, fields, credentials) {
  const to = new URL(auth)
  const bearer = typeof credentials === 'string'
  return new Promise((done, failed) => {
    const r = request(
      {
        host: '127.0.0.1', port: to.port, path, method: 'POST',
        headers: {
          Host: to.host, 'Content-Type': bearer ? 'application/json' : 'application/x-www-form-urlencoded',
          ...(bearer ? { Authorization: `Bearer ${credentials}` } : credentials ? { Authorization: `Basic ${Buffer.from(credentials.map(encodeURIComponent).join(':')).toString('base64')}` } : {}),
        },
      },
      (res) => {
        let text = ''
        res.on('data', (piece) => (text += piece))
        res.on('end', () => done({ status: res.statusCode, body: text ? JSON.parse(text) : {} }))
      },
    )
    r.on('error', failed)
    r.end(bearer ? JSON.stringify(fields) : new URLSearchParams(fields).toString())
  })
}

// The application: it notes what comes back to it.
let arrived
const app = createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost')
  if (url.pathname === '/callback') arrived = url.searchParams
  res.setHeader('Content-Type', 'text/html')
  res.end('<!doctype html><html lang="en"><title>Shop</title><main><h1>The shop</h1></main></html>')
})
await new Promise((listening) => app.listen(0, '127.0.0.1', listening))
const callback = `http://localhost:${app.address().port}/callback`

const browser = await open({ hosts: [...[at.console, at.tenant, auth].map((u) => new URL(u).host), new URL(callback).host] })
const wrong = browser.wrong
const look = looker('auth', shots, wrong)

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()

  await page.goto(`${auth}/auth/scopes`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('input[type=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('No scopes yet').first().waitFor()
  await look(page, 'no-scopes')
  await page.getByRole('button', { name: 'New scope' }).first().click()
  const panel = page.getByRole('dialog')
  await panel.getByLabel('Name').fill('orders:read')
  await panel.getByLabel('What people read').fill('See your orders')
  await look(page, 'scope-new')
  await panel.getByRole('button', { name: 'Make the scope' }).click()
  await page.getByRole('cell', { name: 'orders:read', exact: true }).first().waitFor()
  await look(page, 'scopes')

  // A program on its own behalf: its secret is shown once, and works.
  await page.getByRole('link', { name: 'Clients', exact: true }).click()
  await page.getByText('No clients yet').first().waitFor()
  await page.getByRole('button', { name: 'New client' }).first().click()
  await panel.getByLabel('Name').fill('Billing')
  await panel.getByRole('checkbox', { name: 'orders:read' }).click()
  await look(page, 'client-new')
  await panel.getByRole('button', { name: 'Make the client' }).click()
  const password = await secret(panel, 'Secret')
  await look(page, 'client-secret')
  await panel.getByRole('button', { name: 'See the client' }).click()
  await page.waitForURL((u) => /^\/auth\/clients\/[^/]+$/.test(u.pathname))
  await page.getByRole('heading', { name: 'Billing' }).first().waitFor()
  await look(page, 'client')
  const billing = new URL(page.url()).pathname.split('/').pop()
  const token = await form('/oauth/default/token', { grant_type: 'client_credentials' }, [billing, password])
  must(token.status === 200 && token.body.scope === 'orders:read', `no token: ${JSON.stringify(token)}`)
  await page.getByRole('button', { name: 'Rotate' }).click()
  await panel.getByRole('button', { name: 'Make a new secret' }).click()
  const second = await secret(panel, 'Secret')
  await panel.getByRole('button', { name: 'Done' }).click()
  // One more beside them, which has a name: the list says when each was used.
  await page.getByRole('button', { name: 'Add one more' }).click()
  await panel.getByLabel('Name').fill('Frankfurt')
  await panel.getByLabel('Ends on').fill('2099-01-01')
  await look(page, 'client-secret-add')
  await panel.getByRole('button', { name: 'Make a new secret' }).click()
  const third = await secret(panel, 'Secret')
  await panel.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('cell', { name: 'Frankfurt' }).first().waitFor()
  await look(page, 'client-secrets')
  for (const one of [password, second, third]) must((await form('/oauth/default/token', { grant_type: 'client_credentials' }, [billing, one])).status === 200, 'a secret does not work within the overlap')

  await page.getByRole('link', { name: 'Signing keys' }).click()
  await page.getByRole('button', { name: 'Rotate EdDSA' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate now' }).click()
  await page.getByText('Published', { exact: true }).first().waitFor()
  await look(page, 'keys')

  // What is wrong is told at its field.
  await page.getByRole('link', { name: 'Clients', exact: true }).click()
  await page.getByRole('button', { name: 'New client' }).click()
  await panel.getByLabel('Name').fill('Shop')
  await panel.getByLabel('Description').fill('Sells things')
  await panel.getByRole('radio', { name: 'An app on a device, or in a browser' }).click()
  await panel.getByLabel('Addresses to go back to').fill('http://shop.example/callback')
  await panel.getByLabel('Address for sign-outs').fill('http://shop.example/signed-out')
  for (const scope of ['gatehouse', 'openid', 'email', 'offline_access', 'orders:read']) await panel.getByRole('checkbox', { name: scope, exact: true }).click()
  await panel.getByRole('button', { name: 'Make the client' }).click()
  await panel.getByText('use https, http for the own machine only').first().waitFor()
  await panel.getByText('this is not an address with https').first().waitFor()
  await look(page, 'client-wrong')
  await panel.getByLabel('Addresses to go back to').fill(callback)
  await panel.getByLabel('Address for sign-outs').fill('https://shop.example/signed-out')
  await panel.getByRole('button', { name: 'Make the client' }).click()
  await panel.getByText('It has no secret').first().waitFor()
  await panel.getByRole('button', { name: 'See the client' }).click()
  await page.getByRole('heading', { name: 'Shop' }).first().waitFor()
  const shop = new URL(page.url()).pathname.split('/').pop()

  // The application sends somebody who is not signed in here.
  const proof = randomBytes(32).toString('base64url')
  const asking = (scope) => `${auth}/oauth/default/authorize?${new URLSearchParams({
    response_type: 'code', client_id: shop, redirect_uri: callback, scope, state: 'a state', nonce: 'a nonce',
    code_challenge: createHash('sha256').update(proof).digest('base64url'), code_challenge_method: 'S256',
  })}`
  const guest = await browser.page()
  await guest.goto(asking('openid email offline_access orders:read'))
  await guest.locator('input[type=email]').fill(OWNER.email)
  await guest.getByRole('button', { name: 'Continue' }).click()
  await guest.locator('input[type=password]').fill(OWNER.password)
  await guest.getByRole('button', { name: 'Sign in' }).click()
  await guest.getByRole('heading', { name: 'Shop asks for access' }).first().waitFor()
  await guest.getByText('See your orders').first().waitFor()
  await look(guest, 'consent')
  await guest.getByRole('button', { name: 'Allow access' }).click()
  await guest.getByRole('heading', { name: 'The shop' }).first().waitFor()
  must(arrived?.get('state') === 'a state' && arrived.get('iss') === `${auth}/oauth/default`, `what came back is ${arrived}`)
  const tokens = await form('/oauth/default/token', { grant_type: 'authorization_code', code: arrived.get('code'), redirect_uri: callback, client_id: shop, code_verifier: proof })
  must(tokens.status === 200 && tokens.body.id_token && tokens.body.refresh_token, `no tokens: ${JSON.stringify(tokens)}`)
  arrived = undefined
  // It has no secret and is on this machine, where another program could name it: asked again.
  // This time it wants to act as them in Gatehouse itself.
  await guest.goto(asking('openid gatehouse'))
  await guest.getByText('Act as you in Gatehouse, within your own permissions').first().waitFor()
  await look(guest, 'consent-acts')
  await guest.getByRole('button', { name: 'Allow access' }).click()
  await guest.getByRole('heading', { name: 'The shop' }).first().waitFor()
  must(arrived?.get('code'), 'it came back without a code')
  const acting = await form('/oauth/default/token', { grant_type: 'authorization_code', code: arrived.get('code'), redirect_uri: callback, client_id: shop, code_verifier: proof })
  const acts = async () => await fetch(`${direct}/api/tenant-manager/v1/me`, { headers: { Authorization: `Bearer ${acting.body.access_token}` } })
  const me = await acts()
  must(me.status === 200 && (await me.json()).user.email === OWNER.email, `it does not act as them: ${me.status} ${JSON.stringify(acting)}`)

  // A device without a browser shows a code, and somebody enters it.
  await page.getByRole('link', { name: 'Clients', exact: true }).click()
  await page.getByRole('button', { name: 'New client' }).click()
  await panel.getByLabel('Name').fill('TV')
  await panel.getByRole('radio', { name: 'A device without a browser' }).click()
  await panel.getByRole('checkbox', { name: 'orders:read', exact: true }).click()
  await look(page, 'client-device')
  await panel.getByRole('button', { name: 'Make the client' }).click()
  await panel.getByRole('button', { name: 'See the client' }).click()
  await page.getByRole('heading', { name: 'TV' }).first().waitFor()
  await look(page, 'client-of-a-device')
  const tv = new URL(page.url()).pathname.split('/').pop()
  const device = await form('/oauth/default/device_authorization', { client_id: tv, scope: 'orders:read' })
  must(device.status === 200 && device.body.user_code, `no code: ${JSON.stringify(device)}`)
  await guest.goto(device.body.verification_uri)
  await guest.getByLabel('Code').fill('BBBB-BBBB')
  await guest.getByRole('button', { name: 'Continue' }).click()
  await guest.getByText('No device shows this code').first().waitFor()
  await look(guest, 'device-none')
  await guest.goto(device.body.verification_uri_complete)
  await guest.getByRole('button', { name: 'Continue' }).click()
  await guest.getByRole('heading', { name: 'TV asks for access' }).first().waitFor()
  await guest.getByText(device.body.user_code).first().waitFor()
  await look(guest, 'device')
  await guest.getByRole('button', { name: 'Allow access' }).click()
  await guest.getByRole('heading', { name: 'The device is connected' }).first().waitFor()
  await look(guest, 'device-connected')
  const polled = await form('/oauth/default/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.body.device_code, client_id: tv })
  must(polled.status === 200 && polled.body.scope === 'orders:read', `no token for the device: ${JSON.stringify(polled)}`)

  // A terminal is signed in the same way, with a session of the person's.
  const api = `${direct}/api/tenant-manager/v1`
  const tell = async (path, body) => fetch(`${api}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  const terminal = await (await tell('/sign-in/device', { name: 'gatehouse on build-7' })).json()
  await guest.goto(`${auth}/device${new URL(terminal.urlWithCode).search}`) // where they are signed in
  await guest.getByRole('button', { name: 'Continue' }).click()
  await guest.getByRole('heading', { name: 'Sign in gatehouse on build-7?' }).first().waitFor()
  await look(guest, 'device-sign-in')
  must((await tell('/sign-in/device/token', { deviceCode: terminal.deviceCode })).status === 202, 'the terminal does not wait')
  await guest.getByRole('button', { name: 'Allow access' }).click()
  await guest.getByRole('heading', { name: 'The device is connected' }).first().waitFor()
  let told = await tell('/sign-in/device/token', { deviceCode: terminal.deviceCode })
  for (; told.status === 429; told = await tell('/sign-in/device/token', { deviceCode: terminal.deviceCode })) {
    await new Promise((done) => setTimeout(done, 1000 * Number(told.headers.get('Retry-After')))) // it asked twice within its interval
  }
  const signedIn = await told.json()
  must(signedIn.accessToken, `no session for the terminal: ${JSON.stringify(signedIn)}`)

  // A partner's program registers itself.
  await page.getByRole('link', { name: 'Registration' }).click()
  await page.getByText('No initial tokens').first().waitFor()
  await look(page, 'registration-none')
  await page.getByRole('button', { name: 'New initial token' }).first().click()
  await panel.getByLabel('Name').fill('Partners')
  await panel.getByRole('checkbox', { name: 'orders:read', exact: true }).click()
  await look(page, 'registration-new')
  await panel.getByRole('button', { name: 'Make the token' }).click()
  const initial = await secret(panel, 'Token')
  await look(page, 'registration-token')
  await panel.getByRole('button', { name: 'Done' }).click()
  const registered = await form('/oauth/default/register', { client_name: 'Partner shop', client_uri: 'https://partner.example', contacts: ['ops@partner.example'], redirect_uris: [callback] }, initial)
  must(registered.status === 201 && registered.body.client_id, `not registered: ${JSON.stringify(registered)}`)
  await page.reload()
  await page.getByText('Ended', { exact: true }).first().waitFor()
  await look(page, 'registration')
  await page.goto(`${auth}/auth/clients/${registered.body.client_id}`)
  await page.getByText('It registered itself.').first().waitFor()
  await look(page, 'client-registered')

  await page.getByRole('link', { name: 'Consents' }).click()
  await page.getByRole('cell', { name: 'Shop', exact: true }).first().waitFor()
  await look(page, 'consents')
  await guest.goto(`${auth}/me`)
  for (const name of ['TV', 'Shop']) {
    await guest.getByRole('button', { name: `Take back what you allowed ${name}` }).click()
    await guest.getByRole('dialog').getByRole('button', { name: 'Take back' }).click()
    await guest.getByRole('button', { name: `Take back what you allowed ${name}` }).waitFor({ state: 'detached' })
  }
  await guest.getByText('You allowed no application anything.').first().waitFor()
  must((await acts()).status === 401, 'it acts as them although that was taken back')
  await look(guest, 'me')
  const after = await form('/oauth/default/token', { grant_type: 'refresh_token', refresh_token: tokens.body.refresh_token, client_id: shop })
  must(after.status === 400, `the refresh token goes on: ${JSON.stringify(after)}`)

  await guest.goto(`${auth}/oauth/default/authorize?client_id=nobody`)
  await guest.getByRole('heading', { name: 'You cannot be taken back to the application' }).first().waitFor()
  await look(guest, 'failed')
  await guest.goto(`${auth}/oauth/default/logout`)
  await guest.getByRole('button', { name: 'Sign out' }).first().waitFor()
  await look(guest, 'sign-out')
  await guest.getByRole('button', { name: 'Sign out' }).click()
  await guest.getByRole('heading', { name: 'You are signed out' }).first().waitFor()
  await look(guest, 'signed-out')
  // Browsers report the answers to what was wrong on purpose.
  const unexpected = wrong.filter((w) => !/status of 422 .*\/oauth\/clients\)$/.test(w) && !/status of 404 .*\/oauth\/devices\/BBBB-BBBB\)$/.test(w))
  must(unexpected.length === 0, unexpected.join('\n'))
} catch (error) {
  process.stderr.write(`${error.stack}\n${wrong.join('\n')}\n`)
  process.exitCode = 1
} finally {
  await browser.close()
  app.close()
}
