// Signing in by an LDAP directory, by clicking, in a real browser against a real
// Gatehouse that was never set up, and OpenLDAP: a connection, tests that work and
// that do not, and somebody new who signs in. Every screen is checked with axe in
// both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   npm run e2e:ldap -- ready.json [folder for screenshots]
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { looker, open } from './browser.mjs'
import { addresses, eventually, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)

const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } // where Debian has slapd
const folder = mkdtempSync(join(tmpdir(), 'directory-'))
const suffix = 'dc=acme,dc=example'
const password = 'what the directory knows'
async function startDirectory() {
  mkdirSync(join(folder, 'data'))
  const schemas = ['core', 'cosine', 'inetorgperson'].map((s) => `include /etc/ldap/schema/${s}.schema`)
  writeFileSync(join(folder, 'slapd.conf'), [...schemas, 'modulepath /usr/lib/ldap', 'moduleload back_mdb', 'database mdb', `suffix "${suffix}"`, `rootdn "cn=admin,${suffix}"`, `rootpw "${password}"`, `directory ${folder}/data`].join('\n') + '\n')
  const entries = [
    [suffix, 'objectClass: dcObject', 'objectClass: organization', 'o: Acme', 'dc: acme'],
    [`uid=eve,${suffix}`, 'objectClass: inetOrgPerson', 'uid: eve', 'cn: Eve Larsen', 'sn: Larsen', 'mail: eve@acme.example', `userPassword: ${password}`],
    [`cn=api-team,${suffix}`, 'objectClass: groupOfNames', 'cn: api-team', `member: uid=eve,${suffix}`],
    [`cn=staff,${suffix}`, 'objectClass: groupOfNames', 'cn: staff', `member: cn=api-team,${suffix}`],
  ]
  execFileSync('slapadd', ['-f', join(folder, 'slapd.conf')], { env, input: entries.map(([dn, ...lines]) => `dn: ${dn}\n${lines.join('\n')}\n`).join('\n') })
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address()
  free.close()
  await once(free, 'close')
  const process_ = spawn('slapd', ['-f', join(folder, 'slapd.conf'), '-h', `ldap://127.0.0.1:${port}`, '-d', '0'], { env, stdio: 'inherit' })
  await eventually('the directory does not answer', async () => {
    const socket = connect(port, '127.0.0.1')
    const ok = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)))
    socket.destroy()
    return { ok, value: port }
  })
  return { url: `ldap://127.0.0.1:${port}`, process: process_ }
}
const directory = await startDirectory()

const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host) })
const wrong = browser.wrong
const look = looker('ldap', shots, wrong)
async function test(page, who, word) {
  await page.getByRole('button', { name: 'Test sign-in' }).first().click()
  await page.locator('input[name=test-username]').fill(who)
  await page.locator('input[name=test-password]').fill(word)
}
const tested = (page) => page.getByRole('dialog').getByRole('button', { name: 'Test sign-in' }).click()

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/sso`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in' }).click()

  await page.getByRole('link', { name: 'New connection' }).first().click()
  await page.getByRole('radio', { name: 'LDAP' }).click()
  await look(page, 'empty')
  await page.getByLabel('Kind').click()
  await page.getByRole('option', { name: 'OpenLDAP' }).click()
  await page.locator('input[name=name]').fill('Acme Directory')
  await page.getByPlaceholder('ldaps://ldap.example.com').fill('ldap://ldap.acme.example')
  await page.getByPlaceholder('ldaps://ldap.example.com').press('Enter')
  await page.getByLabel('Encrypt with StartTLS').click()
  await page.locator('input[name=bindDn]').fill(`cn=admin,${suffix}`)
  await page.locator('input[name=bindPassword]').fill(password)
  await page.locator('input[name=userBase]').fill(suffix)
  await page.locator('input[name=groupBase]').fill(suffix)
  await page.getByLabel('Groups in groups count').click()
  await page.getByPlaceholder('acme.example', { exact: true }).fill('acme.example')
  await page.getByPlaceholder('acme.example', { exact: true }).press('Enter')
  await page.getByLabel('Make a user of who signs in for the first time').click()
  await page.getByRole('button', { name: 'Add a group' }).click()
  await page.getByLabel('Group 1', { exact: true }).fill('staff')
  await page.getByLabel('Role of group 1').click()
  await page.getByRole('option', { name: 'Administrator', exact: true }).click()
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByText('in plain text').first().waitFor()
  await look(page, 'refused')
  await page.getByPlaceholder('ldaps://ldap.example.com').press('Backspace')
  await page.getByPlaceholder('ldaps://ldap.example.com').fill(directory.url)
  await page.getByPlaceholder('ldaps://ldap.example.com').press('Enter')
  if ((await page.getByText('ldap://ldap.acme.example').count()) > 0) await page.getByText('ldap://ldap.acme.example').locator('..').getByRole('button').click()
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.waitForURL((u) => /^\/sso\/[^/]+$/.test(u.pathname) && !u.pathname.endsWith('/new'))
  const connection = page.url()

  await test(page, 'eve@acme.example', 'not the right one')
  await look(page, 'asked')
  await tested(page)
  await page.getByText('does not take the password').first().waitFor()
  await look(page, 'wrong')
  await page.goto(connection)
  await test(page, 'eve@acme.example', password)
  await tested(page)
  await page.getByText('A user is made of this person').first().waitFor()
  for (const text of ['eve@acme.example', 'api-team, staff', 'Administrator', 'Eve Larsen']) await page.getByText(text).first().waitFor()
  await look(page, 'test')
  await page.goto(connection)
  await page.getByLabel('People can sign in with it').click()
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByText('The connection is saved').last().waitFor()
  await look(page, 'connection')

  // Somebody else, in another browser.
  const eve = await browser.page()
  await eve.goto(`${at.tenant}/users`)
  await eve.locator('input[type=email]').fill('eve@acme.example')
  await eve.getByRole('button', { name: 'Continue', exact: true }).click()
  await eve.getByText('The one that you have at Acme Directory.').first().waitFor()
  await look(eve, 'identified')
  await eve.locator('input[name=password]').fill(password)
  await eve.getByRole('button', { name: 'Sign in', exact: true }).click()
  await eve.waitForURL(`${at.tenant}/users`)
  await eve.getByText('Eve Larsen').first().waitFor()
  await eve.getByText(OWNER.email).first().waitFor() // by the role of the group
  process.stdout.write('ok signed in\n')
} catch (error) {
  wrong.push(error.stack)
} finally {
  directory.process.kill()
  await browser.close()
  rmSync(folder, { recursive: true })
}
// Settings that are not right were sent on purpose.
const unexpected = wrong.filter((w) => !/status of 422 .*\/sso\/connections\)$/.test(w))
for (const w of unexpected) process.stderr.write(`${w}\n`)
process.exit(unexpected.length ? 1 : 0)
