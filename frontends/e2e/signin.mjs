// Signing in by clicking, in a real browser against a real Gatehouse that was
// never set up: passkeys of the browser's virtual authenticator, authenticator
// apps, recovery codes, forgotten passwords, and the security policy. Every screen
// is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:signin -- ready.json [folder for screenshots]
import { createHmac } from 'node:crypto'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { looker, open } from './browser.mjs'

const [readyFile, shots] = process.argv.slice(2)
if (!readyFile) {
  process.stderr.write('say which ready file to use: node e2e/signin.mjs ready.json\n')
  process.exit(2)
}
const ready = JSON.parse(readFileSync(readyFile, 'utf8'))

const browser = await open({ hosts: [ready.console, ready.tenantConsole, ready.portal, ready.authConsole].filter(Boolean).map((u) => new URL(u).host), refusals: true })
const { wrong } = browser
/** A person's browser, with sessions of its own. */
async function person() {
  const page = await browser.page()
  // One for all: when a session ends, so does the virtual authenticator.
  return { page, cdp: await page.context().newCDPSession(page) }
}

const seen = looker('signin', shots, wrong)
const look = ({ page }, name) => seen(page, name)

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


  // A passkey, made by an authenticator that the browser plays.
  const { cdp } = owner
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  })
  await page.goto(`${ready.tenantConsole}/me`)
  await page.getByText('None yet: whoever has your password is you').first().waitFor()
  await look(owner, 'me')
  const panel = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await panel.getByLabel('Name').fill('Laptop')
  await look(owner, 'passkey-add')
  await panel.getByRole('button', { name: 'Add a passkey' }).click()
  await panel.getByText('Keep these recovery codes').first().waitFor()
  const codes = (await panel.getByTestId('recovery-codes').locator('li').allInnerTexts()).map((c) => c.trim())
  assert.equal(codes.length, 10)
  await look(owner, 'recovery-codes')
  await panel.getByRole('button', { name: 'I have kept them' }).click()
  await page.getByRole('cell', { name: 'Laptop', exact: true }).first().waitFor()

  // An authenticator app.
  await page.getByRole('button', { name: 'Add an authenticator app' }).click()
  await panel.getByLabel('Name').fill('Phone')
  await panel.getByRole('button', { name: 'Use an authenticator app' }).click()
  const secret = (await panel.getByTestId('totp-secret').innerText()).trim()
  await look(owner, 'authenticator-app')
  await panel.getByLabel('Code of your authenticator app').fill('000000')
  await panel.getByRole('button', { name: 'Switch it on' }).click()
  await panel.getByText('this code is not right').first().waitFor()
  await panel.getByLabel('Code of your authenticator app').fill(totp(secret))
  await panel.getByRole('button', { name: 'Switch it on' }).click()
  await page.getByRole('cell', { name: 'Phone', exact: true }).first().waitFor()
  await look(owner, 'factors')

  // With the passkey alone.
  await signOut(page)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor()

  // With password and a recovery code.
  await signOut(page)
  await withPassword(page, 'a few words are better')
  await page.getByRole('heading', { name: 'Prove that it is you' }).first().waitFor()
  await look(owner, 'second-step')
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill('aaaa-aaaa-aaaa-aaaa')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByText('this is not one of your recovery codes').first().waitFor()
  await look(owner, 'second-step-refused')
  await page.getByLabel('Recovery code').fill(codes[0])
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('navigation', { name: 'Main' }).first().waitFor()
  await page.goto(`${ready.tenantConsole}/me`)
  await page.getByText('Recovery codes that are left: 9').first().waitFor()

  // The security policy says whom it hits, before it is saved.
  await page.getByRole('link', { name: 'Security' }).click()
  await page.getByRole('heading', { name: 'Security', level: 1 }).first().waitFor()
  await page.getByLabel('Who needs one').click()
  await page.getByRole('option', { name: 'Everybody' }).click()
  await page.getByLabel('The consoles can be used from').fill('10.0.0.0/8')
  await page.getByText('1 of 1 users are signed in from elsewhere').first().waitFor()
  await look(owner, 'security')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('this would lock you out').first().waitFor()
  await look(owner, 'security-refused')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByLabel('The consoles can be used from').fill('')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('The security policy is saved').first().waitFor()

  // Who was invited has to set up a second factor before anything else.
  await page.goto(`${ready.tenantConsole}/invitations?new=1`)
  await panel.getByLabel('E-mail').fill('sam@acme.example')
  await choose(page, panel.getByLabel('Role', { exact: true }), 'Viewer')
  await panel.getByRole('button', { name: 'Make the link' }).click()
  await panel.getByRole('button', { name: 'Show', exact: true }).click()
  const link = new URL((await panel.getByTestId('secret').innerText()).trim())
  await panel.getByRole('button', { name: 'Done' }).click()
  const sam = await person()
  await sam.page.goto(`${ready.tenantConsole}/invite${link.hash}`)
  await sam.page.locator('input[name=name]').fill('Sam Okoro')
  await sam.page.locator('input[name=password]').fill('another few good words')
  await sam.page.getByRole('button', { name: 'Accept the invitation' }).click()
  await sam.page.getByRole('heading', { name: 'Set up a second factor' }).first().waitFor()
  await look(sam, 'factor-required')
  await sam.page.getByRole('button', { name: 'Use an authenticator app' }).click()
  await sam.page.getByLabel('Code of your authenticator app').fill(totp((await sam.page.getByTestId('totp-secret').innerText()).trim()))
  await sam.page.getByRole('button', { name: 'Switch it on' }).click()
  await sam.page.getByRole('button', { name: 'I have kept them' }).click()
  await sam.page.getByRole('navigation', { name: 'Main' }).first().waitFor()

  // A forgotten password: the administrator sees who asked, and makes the link.
  await signOut(sam.page)
  await sam.page.locator('input[type=email]').fill('sam@acme.example')
  await sam.page.getByRole('button', { name: 'Continue' }).click()
  await look(sam, 'password')
  await sam.page.getByRole('link', { name: 'Forgot your password?' }).click()
  await look(sam, 'forgot')
  await sam.page.getByRole('button', { name: 'Ask for a link' }).click()
  await sam.page.getByText('Your request is noted').first().waitFor()
  await look(sam, 'forgot-sent')
  await page.goto(`${ready.tenantConsole}/users`)
  await page.getByRole('heading', { name: 'Asked for a new password' }).first().waitFor()
  await look(owner, 'password-requests')
  await page.getByRole('link', { name: 'Make a link' }).click()
  await panel.getByRole('button', { name: 'Make the link' }).click()
  await panel.getByRole('button', { name: 'Show', exact: true }).click()
  const reset = new URL((await panel.getByTestId('secret').innerText()).trim())
  await page.keyboard.press('Escape')
  await look(owner, 'user')
  await sam.page.goto(`${ready.portal}/password${reset.hash}`)
  await sam.page.locator('input[name=password]').fill('words that are quite new')
  await look(sam, 'password-link')
  await sam.page.getByRole('button', { name: 'Set the password and sign in' }).click()
  await sam.page.getByRole('heading', { name: 'Prove that it is you' }).first().waitFor()

  // The administrator takes the second factors of who has lost them.
  await page.getByRole('button', { name: 'Reset second factors' }).click()
  await panel.getByRole('button', { name: 'Reset second factors' }).click()
  await page.getByText('None: the password alone signs them in.').first().waitFor()
  assert.deepEqual(wrong, [])
  process.stdout.write('signing in: all as it should be\n')
} catch (error) {
  process.exitCode = 1
  if (shots) await browser.pictures(shots)
  process.stderr.write(`${error.stack}\n${wrong.join('\n')}\n`)
} finally {
  await browser.close()
}

/** What an authenticator app shows now (RFC 6238). */
function totp(secret) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const at = Buffer.alloc(8)
  at.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const mac = createHmac('sha1', key).update(at).digest()
  const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff
  return String(n % 1_000_000).padStart(6, '0')
}

async function signOut(page) {
  await page.getByRole('button', { name: /account/i }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Continue' }).first().waitFor()
}

async function withPassword(page, password) {
  await page.locator('input[type=email]').fill('lena@acme.example')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('input[name=password]').fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}
