/** The first-run wizard, by clicking and, where it says so, with the keyboard alone. */
import { call, eventually, must, secret } from './suite.mjs'

/**
 * Walks the five steps from a document to the first call, which is a real one:
 * what the page tells people to run is what is called. Returns the address that
 * was called and its key.
 */
export async function firstApi(page, at, look) {
  /** The step that the page says it is at; its heading has the keyboard. */
  const step = async (name) => {
    await page.getByRole('list', { name: 'Your first API' }).locator('[aria-current=step]').getByText(name).waitFor()
    await eventually(`the keyboard is not at the step ${name}`, async () => {
      const value = await page.evaluate(() => document.activeElement?.closest('main form, main section, main h2')?.textContent?.trim().slice(0, 60) ?? document.activeElement?.tagName)
      return { ok: await page.evaluate(() => Boolean(document.activeElement?.closest('main [data-step]'))), value }
    })
    await look(page)
  }

  await page.getByRole('link', { name: 'Start with your first API' }).click()
  await page.getByRole('list', { name: 'Your first API' }).first().waitFor()
  await page.getByRole('radio', { name: 'File' }).focus()
  await page.keyboard.press('ArrowRight')
  await page.getByLabel('Address of the document').fill(at.sample)
  await look(page)
  await page.keyboard.press('Enter')

  await step('What we found')
  await page.getByRole('heading', { name: '19 operations found' }).first().waitFor()
  await page.getByLabel('Name', { exact: true }).fill('Pets to try')
  await page.getByLabel('Base path').fill('/pets-to-try')
  await page.keyboard.press('Enter')

  await step('Who may call')
  await page.getByRole('radio', { name: /^Who has a token/ }).check()
  await page.getByLabel('Address of the key set').waitFor()
  await page.getByRole('radio', { name: /^Who has an API key/ }).check()
  await page.keyboard.press('Enter')

  await step('Deploy')
  await page.getByRole('radio', { checked: true }).focus() // where gateways run
  await page.keyboard.press('Enter')
  await page.getByText(/^(\d+) of \1 gateways have it/).first().waitFor()
  await look(page)
  await page.getByRole('button', { name: 'Call it' }).press('Enter')

  await step('Call it')
  const key = await secret(page, /^API key/)
  const command = await page.getByTestId('curl').innerText()
  must(!command.includes(key), 'the command shows the key')
  const found = /-H "([^:"]+): \$GATEHOUSE_KEY".* '([^']+)'/.exec(command)
  must(found, `${command} is not how to call an API`)
  must(found[1] === 'X-API-Key', `the key goes into ${found[1]}`)
  const told = new URL(found[2])
  // Behind an address that only browsers know, it is the same path on each gateway.
  const url = at.gateways.includes(told.origin) ? told.href : at.gateways[0] + told.pathname + told.search
  await call(url, key, 200)
  await page.getByTestId('first-call').getByText('It arrived').waitFor()
  await page.getByTestId('first-call').getByText('200').first().waitFor()
  await look(page)
  await page.getByRole('link', { name: 'Go to Pets to try' }).click()
  await page.getByRole('heading', { name: 'Pets to try', level: 1 }).first().waitFor()
  return { url, key }
}
