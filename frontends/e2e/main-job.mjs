// The main job by clicking, in a real browser against a real Gatehouse:
// set-up, first API, key, call, policy, deployment, refusal, why, way back.
// Every screen on the way is checked with axe in both themes; no request may
// leave the installation, and the content security policy may refuse nothing.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e -- ready.json [folder for screenshots]
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

const [readyFile, shots] = process.argv.slice(2)
if (!readyFile) {
  process.stderr.write('say which ready file to use: npm run e2e -- ready.json\n')
  process.exit(2)
}
const ready = JSON.parse(readFileSync(readyFile, 'utf8'))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
if (shots) mkdirSync(shots, { recursive: true })

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
const page = await context.newPage()
page.setDefaultTimeout(30_000)

const wrong = []
const own = new Set([ready.console, ready.tenantConsole, ready.portal].filter(Boolean).map((u) => new URL(u).host))
page.on('console', (m) => m.type() === 'error' && !/status of 4\d\d/.test(m.text()) && wrong.push(`console: ${m.text()}`))
page.on('pageerror', (e) => wrong.push(`page: ${e.stack}`))
page.on('request', (r) => {
  const url = new URL(r.url())
  if (url.protocol !== 'data:' && url.protocol !== 'blob:' && !own.has(url.host)) wrong.push(`request to ${url.host}`)
})

let step = 0
async function look(name) {
  step++
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.waitForTimeout(150)
    if (shots) await page.screenshot({ path: `${shots}/${String(step).padStart(2, '0')}-${name}-${colorScheme}.png` })
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

async function until(what, ask) {
  for (let i = 0; i < 100; i++) {
    if (await ask()) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`waited in vain: ${what}`)
}

try {
  await page.goto(ready.signIn.url)
  await page.getByLabel('Organization').waitFor()
  await look('set-up')
  await page.getByLabel('Organization').fill('Acme')
  await page.getByLabel('Your name').fill('Lena Kim')
  await page.getByLabel('E-mail').fill('lena@acme.example')
  await page.locator('input[name=password]').fill('a few words are better')
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).waitFor()
  await look('home-empty')

  await page.getByRole('link', { name: 'Start with your first API' }).click()
  await page.getByRole('radio', { name: 'Address' }).click()
  await page.locator('input[name=url]').fill(ready.sample)
  await look('first-source')
  await page.getByTestId('preview').click()
  await page.getByText('19 operations found').waitFor()
  await look('first-preview')
  await page.getByTestId('make').click()
  await page.getByTestId('decide').waitFor()
  await look('first-who')
  await page.getByTestId('decide').click()
  await page.getByTestId('deploy').click()
  await page.locator('[data-testid=deployment][data-state=live]').waitFor()
  await look('first-live')
  await page.getByTestId('to-call').click()
  await page.getByTestId('secret').waitFor()
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  const key = await page.getByTestId('secret').innerText()
  const url = /'([^']+)'/.exec(await page.getByTestId('curl').innerText())[1]
  const call = async (headers) => (await fetch(url, { headers })).status
  await until('the key works', async () => (await call({ 'X-API-Key': key })) === 200)
  assert.equal(await call({}), 401)
  assert.equal(await call({ 'X-API-Key': `${key.slice(0, -1)}x` }), 401)
  await page.getByTestId('first-call').waitFor()
  await look('first-call')

  await page.getByRole('link', { name: /^Go to / }).click()
  await page.getByRole('heading', { name: 'Where it is live' }).waitFor()
  await look('api-overview')
  for (const tab of ['Design', 'Plans', 'Upstreams', 'Consumers', 'Traffic', 'Settings']) {
    await page.getByRole('link', { name: tab, exact: true }).last().click()
    await page.waitForLoadState('networkidle').catch(() => {})
    await page.waitForTimeout(400)
    await look(`api-${tab.toLowerCase()}`)
  }

  // A limit in the draft changes nothing until it is deployed.
  await page.getByRole('link', { name: 'Policies', exact: true }).click()
  await page.getByTestId('add-policy').click()
  await page.getByPlaceholder('Search by name or purpose').fill('rate-limit')
  await look('policy-picker')
  await page.getByRole('button', { name: /^rate-limit/ }).click()
  await page.locator('[data-pointer="/limit"] input').fill('3')
  await page.locator('[data-pointer="/window"] input').fill('1h')
  await look('policy-form')
  await page.getByTestId('save-policy').click()
  await page.getByTestId('change-bar').waitFor()
  await look('policies')
  for (let i = 0; i < 5; i++) assert.equal(await call({ 'X-API-Key': key }), 200)

  await page.getByTestId('deploy-draft').click()
  await page.getByTestId('changes').getByText(/rate-limit/).first().waitFor()
  await look('deploy')
  await page.getByTestId('confirm-deploy').click()
  await page.locator('[data-testid=deployment][data-state=live]').waitFor()
  await look('deployed')
  await page.getByRole('button', { name: 'Close', exact: true }).last().click()
  await until('the limit refuses', async () => (await call({ 'X-API-Key': key })) === 429)

  // Why?
  await page.getByRole('link', { name: 'Logs', exact: true }).click()
  await page.getByRole('combobox', { name: /Search/ }).fill('status:429 ')
  await page.getByRole('combobox', { name: /Search/ }).press('Enter')
  await page.locator('[data-row-link]').first().waitFor()
  await look('logs')
  await page.locator('[data-row-link]').first().click()
  await page.getByTestId('sentence').waitFor()
  assert.match(await page.getByTestId('sentence').innerText(), /rate-limit/)
  await look('explain')

  // The way back.
  await page.getByRole('link', { name: 'APIs', exact: true }).click()
  await page.locator('[data-row-link]').first().waitFor()
  await look('apis')
  await page.locator('[data-row-link]').first().click()
  await page.getByRole('link', { name: 'Deployments', exact: true }).click()
  await page.getByRole('row', { name: /First deployment/ }).getByRole('button', { name: 'Deploy this' }).click()
  await page.getByRole('heading', { name: 'Go back to revision 1' }).waitFor()
  await look('roll-back')
  await page.getByTestId('confirm-deploy').click()
  await page.locator('[data-testid=deployment][data-state=live]').waitFor()
  await page.getByRole('button', { name: 'Close', exact: true }).last().click()
  await until('the limit is gone', async () => (await call({ 'X-API-Key': key })) === 200)
  await look('deployments')

  for (const place of ['Home', 'Shared policies', 'Applications', 'Subscriptions', 'Traffic', 'Gateways', 'Environments', 'Settings']) {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: place }).first().click()
    await page.waitForLoadState('networkidle').catch(() => {})
    await page.waitForTimeout(400)
    await look(place.toLowerCase().replace(' ', '-'))
  }

  // A key that is revoked is refused within two seconds.
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Applications' }).click()
  await page.getByRole('link', { name: 'First application' }).click()
  await page.getByRole('button', { name: /^Revoke/ }).first().click()
  await look('revoke')
  const before = Date.now()
  await page.getByTestId('confirm').click()
  await until('the key is refused', async () => (await call({ 'X-API-Key': key })) === 401)
  assert.ok(Date.now() - before < 4000, 'revoking took longer than it may')

  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Search or run a command').fill('pet')
  await page.getByRole('option', { name: /Petstore/ }).first().waitFor()
  await look('palette')
} catch (error) {
  if (shots) await page.screenshot({ path: `${shots}/failed.png` })
  wrong.push(error.stack)
} finally {
  await browser.close()
}
if (wrong.length) {
  process.stderr.write(`\n${[...new Set(wrong)].join('\n')}\n`)
  process.exit(1)
}
process.stdout.write(`${step} screens, light and dark\n`)
