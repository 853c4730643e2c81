// Languages by clicking, in a real browser against a real Gatehouse that was never
// set up: the language of the browser, a choice that keeps what was typed, and one
// page of each app in German and in Korean. Every screen is checked with axe in
// both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:texts -- ready.json [folder for screenshots]
import assert from 'node:assert/strict'
import { looker, open } from './browser.mjs'
import { addresses, eventually, OWNER } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.portal, at.auth].map((u) => new URL(u).host), refusals: true })
const { wrong } = browser
const look = looker('texts', shots, wrong)

/** Waits until the page says of itself which language it is in. */
const speaks = (page, language) => eventually(`the page is not in ${language}`, async () => {
  const value = await page.evaluate(() => document.documentElement.lang)
  return { ok: value === language, value }
})
/** Counts the files of languages that a page loads. */
function loads(page) {
  const files = new Set()
  page.on('request', (request) => {
    const found = /\/assets\/(de|ko)-[^/]+\.js$/.exec(new URL(request.url()).pathname)
    if (found) files.add(found[1])
  })
  return files
}
async function choose(page, name) {
  await page.getByTestId('language').click()
  await page.getByRole('menuitemcheckbox', { name, exact: true }).click()
}

try {
  // Whose browser is Korean sets Gatehouse up in Korean.
  const page = await browser.page('ko-KR')
  const loaded = loads(page)
  await page.goto(at.signIn)
  await page.getByRole('heading', { name: 'Gatehouse 설정' }).first().waitFor()
  await speaks(page, 'ko')
  assert.deepEqual([...loaded], ['ko'], 'only the language that is shown is loaded')
  await look(page, 'set-up')

  // Another choice takes effect at once, and keeps what was typed.
  await page.getByLabel('조직', { exact: true }).fill('Acme')
  await choose(page, 'Deutsch')
  await page.getByRole('heading', { name: 'Gatehouse einrichten' }).first().waitFor()
  await speaks(page, 'de')
  assert.equal(await page.getByLabel('Organisation', { exact: true }).inputValue(), 'Acme')
  await page.getByLabel('Ihr Name').fill(OWNER.name)
  await page.getByLabel('E-Mail').fill(OWNER.email)
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Einrichtung abschließen' }).click()
  await page.getByRole('link', { name: 'Mit der ersten API beginnen' }).first().waitFor()
  await look(page, 'home')

  // The account menu has the choice as well; it outlives a reload.
  await page.goto(`${at.console}/default/gateways`)
  await page.getByRole('heading', { name: 'Gateway-Gruppen' }).first().waitFor()
  await page.getByTestId('account').click()
  await page.getByRole('menuitem', { name: /^Sprache/ }).hover()
  await page.getByRole('menuitemcheckbox', { name: '한국어' }).click()
  await page.getByRole('menuitem', { name: '언어: 한국어' }).first().waitFor()
  // The menus stay open, and hide the page from who does not see it.
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await page.getByRole('heading', { name: '게이트웨이 그룹' }).first().waitFor()
  await page.getByRole('columnheader', { name: '공개 주소' }).first().waitFor()
  await page.reload()
  await page.getByRole('heading', { name: '게이트웨이 그룹' }).first().waitFor()
  await look(page, 'gateways')

  // The profile has it, for the tenant console.
  const german = await browser.page('de-CH')
  await german.goto(`${at.tenant}/me`)
  await german.getByLabel('E-Mail').fill(OWNER.email)
  await german.getByRole('button', { name: 'Weiter' }).click()
  await german.locator('input[name=password]').fill(OWNER.password)
  await look(german, 'sign-in')
  await german.getByRole('button', { name: 'Anmelden', exact: true }).click()
  // What was chosen there goes with the person to this browser.
  await german.getByRole('heading', { name: '내 계정' }).first().waitFor()
  await look(german, 'account-korean')
  await german.getByRole('combobox', { name: '언어' }).click()
  await german.getByRole('option', { name: 'Deutsch' }).click()
  await german.getByRole('heading', { name: 'Mein Konto' }).first().waitFor()
  await look(german, 'account')

  // A language that there are no texts in is left for the next of the list: English.
  const french = await browser.page('fr-FR')
  const none = loads(french)
  await french.goto(at.portal)
  await french.getByRole('button', { name: 'Sign in' }).first().waitFor()
  await speaks(french, 'en')
  assert.equal(none.size, 0)
  await choose(french, 'Deutsch')
  await french.getByRole('button', { name: 'Anmelden' }).first().waitFor()
  await look(french, 'portal')
  await choose(french, '한국어')
  await french.getByRole('button', { name: '로그인' }).first().waitFor()
  await look(french, 'portal-korean')
} catch (error) {
  wrong.push(`the walk ended: ${error.stack ?? error}`)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
}
if (wrong.length) {
  process.stderr.write(`${[...new Set(wrong)].join('\n')}\n`)
  process.exit(1)
}
