/**
 * Makes the pictures of the documentation from a suite that was not set up yet:
 * fills it over HTTP, has its APIs called for MINUTES (6), and photographs the
 * screens in the light and in the dark, as WebP.
 *
 *   gatehouse standalone --data DIR --ready-file ready.json &
 *   npm run screenshots -- ready.json [FOLDER [MINUTES]]
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open, still } from './browser.mjs'
import { seed } from './seed.mjs'
import { addresses, CONSUMER, OWNER } from './suite.mjs'

const [readyFile, folder = 'screenshots', minutes = '6'] = process.argv.slice(2)
const at = addresses(readyFile)
mkdirSync(folder, { recursive: true })
const { refused } = await seed(readyFile, at, Number(minutes))

const browser = await open({ hosts: [at.console, at.tenant, at.portal, at.auth].map((x) => new URL(x).host), refusals: true })
const page = await browser.page()
// What browsers read fastest and what is small: the browser itself writes it.
const darkroom = await browser.page()
async function write(png, file) {
  const encoded = await darkroom.evaluate(async (base64) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: 'image/png' }))
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
    canvas.getContext('2d').drawImage(bitmap, 0, 0)
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.9 })
    return btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte)).join(''))
  }, png.toString('base64'))
  writeFileSync(file, Buffer.from(encoded, 'base64'))
}
const shoot = async (name) => {
  await page.getByText('Loading…').first().waitFor({ state: 'hidden' })
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme })
    await page.mouse.move(0, 0)
    await still(page)
    await write(await page.screenshot(), join(folder, `${name}-${colorScheme}.webp`))
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
const go = (name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click()

await signIn(at.console, OWNER)
await page.getByRole('table', { name: 'Busiest APIs' }).waitFor()
await shoot('home')
await page.goto(`${at.console}/default/traffic?from=15m`)
await page.getByRole('table', { name: 'By application' }).waitFor()
await shoot('traffic')
await go('APIs')
await page.getByRole('link', { name: /^Petstore/ }).click()
await page.getByRole('table', { name: /Who calls it/ }).waitFor()
await shoot('api-overview')

await page.goto(`${at.console}/default/logs/${refused}`)
await page.getByRole('heading', { name: 'What happened' }).waitFor()
await shoot('explain')

await page.goto(at.tenant)
await page.getByLabel('E-mail').or(page.getByRole('heading', { name: 'Overview', level: 1 })).first().waitFor()
if (await page.getByLabel('E-mail').isVisible()) await signIn(at.tenant, OWNER)
await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
await shoot('tenant-overview')

await signIn(at.portal, CONSUMER)
await page.goto(`${at.portal}/apis/petstore/operations/getPetById`)
await page.getByLabel(/petId/).fill('1')
await page.getByRole('button', { name: 'Send' }).click()
await page.getByText('200', { exact: true }).first().waitFor()
await shoot('portal')
await browser.close()
