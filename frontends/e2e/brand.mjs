// The organization's look by clicking, in a real browser against a real Gatehouse that
// was never set up: logo, colour and texts with their preview, then every page on which
// people sign in, on a desk and on a phone; the words of a letter; a webhook. Every
// screen is checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   node e2e/brand.mjs ready.json [folder for screenshots]
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { looker, open } from './browser.mjs'

const [readyFile, shots] = process.argv.slice(2)
if (!readyFile) {
  process.stderr.write('say which ready file to use: node e2e/brand.mjs ready.json\n')
  process.exit(2)
}
const ready = JSON.parse(readFileSync(readyFile, 'utf8'))
const auth = ready.authConsole
const browser = await open({ hosts: [ready.console, ready.tenantConsole, ready.portal, auth].filter(Boolean).map((u) => new URL(u).host), refusals: true })
const { wrong } = browser
const look = looker('brand', shots, wrong)

const LOGO = (ink) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 132 32" onload="document.title='run'"><script>document.title='run'</script><rect width="32" height="32" rx="8" fill="#d97706"/><path d="M9 23 16 8l7 15h-4l-3-7-3 7z" fill="#fff"/><text x="42" y="23" font-family="sans-serif" font-size="20" font-weight="700" fill="${ink}">Acme</text></svg>`)
const accent = (page) => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--gh-accent').trim())

try {
  const owner = await browser.page()
  await owner.goto(ready.signIn.url)
  await owner.getByLabel('Organization').fill('Acme')
  await owner.getByLabel('Your name').fill('Lena Kim')
  await owner.getByLabel('E-mail').fill('lena@acme.example')
  await owner.locator('input[name=password]').fill('a few words are better')
  await owner.getByRole('button', { name: 'Finish set-up' }).click()
  await owner.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await owner.goto(`${ready.tenantConsole}/brand`)
  await owner.locator('input[type=email]').fill('lena@acme.example')
  await owner.getByRole('button', { name: 'Continue' }).click()
  await owner.locator('input[name=password]').fill('a few words are better')
  await owner.getByRole('button', { name: 'Sign in', exact: true }).click()
  await owner.getByRole('heading', { name: 'Login and brand' }).first().waitFor()

  // The preview follows, the colour is made readable, and a logo runs nothing.
  await owner.locator('input[name=displayName]').fill('Acme Rockets')
  await owner.locator('input[name=accent]').fill('#ffd500')
  await owner.getByText(/On the light theme your colour has a contrast of 1\.2/).first().waitFor()
  await owner.getByTestId('logo-light').setInputFiles({ name: 'logo.svg', mimeType: 'image/svg+xml', buffer: LOGO('#15181c') })
  await owner.getByText('Taken out of the file, because it could do something: onload, <script>.').first().waitFor()
  await owner.getByTestId('logo-dark').setInputFiles({ name: 'logo.svg', mimeType: 'image/svg+xml', buffer: LOGO('#e9ebee') })
  await owner.getByRole('img', { name: 'Logo on dark' }).first().waitFor()
  await owner.getByTestId('logo-dark').setInputFiles({ name: 'logo.gif', mimeType: 'image/png', buffer: Buffer.from('GIF89a nothing else') })
  await owner.getByText('this is no PNG, WebP or SVG image').first().waitFor()
  await owner.locator('textarea[name=welcome]').fill('Sign in with your Acme account. New here? Ask your team lead.')
  await owner.locator('input[name=helpUrl]').fill('javascript:alert(1)')
  await owner.locator('input[name=termsUrl]').fill('https://acme.example/terms')
  await owner.locator('input[name=privacyUrl]').fill('https://acme.example/privacy')
  await owner.getByTestId('save-brand').click()
  await owner.getByText('use an address such as https://help.example.com').first().waitFor()
  await owner.locator('input[name=helpUrl]').fill('mailto:help@acme.example')
  await owner.getByLabel('Add a language').first().fill('ko')
  await owner.getByLabel('Add a language').first().press('Enter')
  await owner.locator('textarea[name=welcome]').fill('Acme 계정으로 로그인하세요.')
  await owner.getByRole('radio', { name: 'en', exact: true }).first().click()
  await owner.getByTestId('brand-preview').getByText('Sign in with your Acme account').first().waitFor()
  await look(owner, 'brand')
  await owner.getByRole('radio', { name: 'Dark', exact: true }).click()
  await owner.getByRole('radio', { name: 'Phone', exact: true }).click()
  await owner.getByRole('radio', { name: 'Second factor', exact: true }).click()
  await look(owner, 'brand-phone')
  await owner.getByTestId('save-brand').click()
  await owner.getByText('The brand is saved').first().waitFor()

  // Every page on which people sign in has it, before anybody has said who they are.
  const visitor = await browser.page()
  for (const [name, url] of [['console', ready.console], ['tenant', ready.tenantConsole], ['auth', auth], ['portal', ready.portal]]) {
    await visitor.goto(`${url}/sign-in`)
    await visitor.getByTestId('welcome').getByText('Ask your team lead').first().waitFor()
    await visitor.getByRole('img', { name: 'Acme Rockets' }).first().waitFor()
    assert.notEqual(await accent(visitor), '#1f4fbf', name)
    if (name === 'portal' || name === 'tenant') await look(visitor, `sign-in-${name}`)
  }
  assert.notEqual(await visitor.title(), 'run')
  for (const [name, path] of [
    ['forgot', '/forgot'],
    ['password-link', '/password'],
    ['invite', '/invite'],
    ['error', '/error?error=invalid_request&request_id=01a2b3c4-77aa-7bbb-8ccc-0123456789ab'],
    ['signed-out', '/signed-out'],
  ]) {
    await visitor.goto(`${ready.tenantConsole}${path}`)
    await visitor.getByRole('img', { name: 'Acme Rockets' }).first().waitFor()
    await look(visitor, name)
  }
  await visitor.getByRole('link', { name: 'Terms' }).first().waitFor()
  await visitor.setViewportSize({ width: 390, height: 844 })
  await visitor.goto(`${ready.tenantConsole}/sign-in`)
  await visitor.getByTestId('welcome').first().waitFor()
  await look(visitor, 'sign-in-phone')
  // By the keyboard alone: the address has the focus, Enter goes on, and so does the password.
  await visitor.keyboard.type('lena@acme.example')
  await visitor.keyboard.press('Enter')
  await visitor.locator('input[name=password]:focus').first().waitFor()
  await look(visitor, 'password-phone')
  await visitor.keyboard.type('a few words are better')
  await visitor.keyboard.press('Enter')
  await visitor.getByRole('button', { name: /account/i }).first().waitFor()
  assert.equal(await accent(visitor), '#1f4fbf', 'inside, the consoles have their own colour')
  await visitor.goto(`${ready.tenantConsole}/device`)
  await visitor.getByRole('img', { name: 'Acme Rockets' }).first().waitFor()
  await look(visitor, 'device-phone')

  // The words of a letter: what is not known is said, and the preview is as it was.
  await owner.getByRole('link', { name: 'Letters', exact: true }).click()
  await owner.getByRole('link', { name: 'Invitation, en', exact: true }).first().waitFor()
  await look(owner, 'letters')
  await owner.getByRole('link', { name: 'Invitation, en', exact: true }).click()
  await owner.getByTestId('letter').first().waitFor()
  await owner.locator('[name=letter-subject]').fill('Welcome aboard {{company}}')
  await owner.getByText('there is no placeholder {{company}} in this letter').first().waitFor()
  await look(owner, 'letter-wrong')
  await owner.locator('[name=letter-subject]').fill('Welcome aboard ')
  await owner.locator('[name=letter-subject]').focus()
  await owner.getByRole('button', { name: 'Insert organization' }).click()
  await owner.getByTestId('subject').getByText('Welcome aboard Acme Rockets').first().waitFor()
  await owner.getByRole('button', { name: 'Save' }).click()
  await owner.getByText('The letter is saved').first().waitFor()
  await owner.getByRole('button', { name: 'Send a test to me' }).click()
  await owner.getByText('No mail server is set').first().waitFor()
  await look(owner, 'letter')
  await owner.getByRole('button', { name: 'Back to the built-in' }).click()
  await owner.getByTestId('confirm').click()
  await owner.getByText('Gatehouse’s words').first().waitFor()

  // A webhook: its secret once, and what came of a test.
  await owner.goto(`${ready.tenantConsole}/webhooks`)
  await owner.getByText('No webhooks yet').first().waitFor()
  await look(owner, 'webhooks-none')
  await owner.getByRole('button', { name: 'New webhook' }).first().click()
  const panel = owner.getByRole('dialog')
  await panel.locator('[name=webhook-name]').fill('On-call chat')
  await panel.locator('[name=webhook-address]').fill('http://127.0.0.1:9/gatehouse')
  await panel.getByRole('checkbox', { name: 'Security', exact: true }).click()
  await look(owner, 'webhook-new')
  await panel.getByRole('button', { name: 'Make the webhook' }).click()
  await panel.getByRole('group', { name: 'Secret for the signature' }).first().waitFor()
  await look(owner, 'webhook-secret')
  await panel.getByRole('button', { name: 'Done' }).click()
  await owner.getByRole('link', { name: 'On-call chat' }).click()
  await owner.getByRole('button', { name: 'Send a test' }).click()
  await owner.getByText('It was not taken').first().waitFor()
  await owner.getByRole('link', { name: 'webhook.test' }).first().click()
  await panel.getByText('What is sent').first().waitFor()
  await look(owner, 'webhook-delivery')
  assert.deepEqual(wrong, [])
  process.stdout.write('the look of an organization: all as it should be\n')
} catch (error) {
  process.exitCode = 1
  if (shots) await browser.pictures(shots)
  process.stderr.write(`${error.stack}\n${wrong.join('\n')}\n`)
} finally {
  await browser.close()
}
