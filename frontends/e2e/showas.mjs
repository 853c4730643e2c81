// What is on a screen, outside of it: "Show as" of every kind of thing is run as it
// stands, with curl and with the command, against the Gatehouse that shows it; and
// lists as CSV, all of their rows. Screens are checked with axe in both themes.
//
//   gatehouse standalone --data DIR --ready-file ready.json &
//   GATEHOUSE_BIN=/path/of/gatehouse npm run e2e:showas -- ready.json [folder for screenshots]
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { looker, open, pictures } from './browser.mjs'
import { addresses, must, OWNER, setUp } from './suite.mjs'

const [readyFile, shots] = process.argv.slice(2)
const at = addresses(readyFile)
const browser = await open({ hosts: [at.console, at.tenant, at.auth].map((u) => new URL(u).host), refusals: true })
const wrong = browser.wrong
const look = looker('showas', shots, wrong)
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-showas-'))
const exec = promisify(execFile)
const env = { PATH: `${dirname(process.env.GATEHOUSE_BIN ?? '')}:${process.env.PATH}`, HOME: folder, XDG_CONFIG_HOME: folder, GATEHOUSE_URL: readyFile ? JSON.parse(readFileSync(readyFile, 'utf8')).api : at.console }

/** Runs a text in a shell, as somebody would who copied it. */
async function run(script, more = {}) {
  try {
    return (await exec('bash', ['-c', script], { env: { ...env, ...more }, cwd: folder, maxBuffer: 64 << 20 })).stdout
  } catch (error) {
    throw new Error(`${script}\n${error.stdout ?? ''}${error.stderr ?? error}`)
  }
}

/** Makes something, as a program does. */
async function make(path, body, method = 'POST') {
  const answer = await fetch(`${env.GATEHOUSE_URL}/api/tenant-manager/v1${path}`, { method, headers: { Authorization: `Bearer ${env.GATEHOUSE_TOKEN}`, 'Content-Type': 'application/json', ...(method === 'PUT' ? { 'If-Match': '*' } : {}) }, body: JSON.stringify(body) })
  const made = await answer.json()
  must(answer.ok, `${method} ${path} was answered ${answer.status}: ${JSON.stringify(made)}`)
  return made.id ?? Object.values(made).find((v) => v?.id)?.id
}

async function block(page, key) {
  return page.locator(`[data-block=${key}] pre`).innerText()
}
async function way(page, name) {
  await page.getByRole('dialog').getByRole('radio', { name }).click()
}

try {
  const page = await browser.page()
  await setUp(page, at)
  await page.getByRole('button', { name: 'Finish set-up' }).click()
  await page.getByRole('link', { name: 'Start with your first API' }).first().waitFor()
  await page.goto(`${at.tenant}/groups`)
  await page.locator('input[type=email]').fill(OWNER.email)
  await page.getByRole('button', { name: 'Continue', exact: true }).click()
  await page.locator('input[name=password]').fill(OWNER.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'Groups' }).first().waitFor()

  // A service account and its token, as people make one from a terminal: personal tokens change no single sign-on.
  await run(`gatehouse login --url ${env.GATEHOUSE_URL} --email ${OWNER.email}`, { GATEHOUSE_PASSWORD: OWNER.password })
  const post = async (path, body) => JSON.parse(await run(`env -u GATEHOUSE_URL gatehouse request POST /tenant-manager${path} --data '${JSON.stringify(body)}'`))
  const walker = await post('/service-accounts', { name: 'walker' })
  await post('/grants', { principal: walker.id, role: 'owner' })
  env.GATEHOUSE_TOKEN = (await post(`/service-accounts/${walker.id}/tokens`, { name: 'walk' })).token
  must(env.GATEHOUSE_TOKEN.startsWith('ght_'), 'the service account has no token')
  const list = async (path) => JSON.parse(await run(`gatehouse request GET ${path}`)).items

  const group = await make('/groups', { name: `It's "us"`, description: 'Zwei\nZeilen, 김' })
  const robot = await make('/service-accounts', { name: 'robot' })
  await make(`/boundaries/${robot}`, { role: (await list('/tenant-manager/roles')).find((r) => r.name === 'viewer').id }, 'PUT')
  await make('/audit/receivers', { name: 'SIEM', kind: 'syslog', address: 'udp://127.0.0.1:9', enabled: false })
  await make('/oauth/scopes', { name: 'orders:read', title: 'Orders' })
  await make('/invitations', { email: 'later@acme.example', roles: [{ role: 'viewer' }] })
  // What is edited beside its list is opened there first; what is only read, by a button of its row.
  const beside = (what) => async () => {
    await page.getByRole('button', { name: what }).first().click()
    await page.getByRole('dialog').getByTestId('show-as').click()
  }
  const row = () => page.getByTestId('show-row').first().click()
  const things = [
    ['User', `/users/${(await list('/tenant-manager/users'))[0].id}`],
    ['Group', `/groups/${group}`],
    ['Role', `/roles/${await make('/roles', { name: 'reader', title: 'Reader', permissions: ['api:read'] })}`],
    ['ServiceAccount', `/service-accounts/${robot}`],
    ['OAuthClient', `/auth/clients/${await make('/oauth/clients', { name: 'Web', grantTypes: ['client_credentials'] })}`],
    ['SsoConnection', `/sso/${await make('/sso/connections', { name: 'Okta', kind: 'oidc', preset: 'generic', issuer: 'https://idp.example', clientId: 'x', clientSecret: 'not shown anywhere' })}`],
    ['ScimDirectory', `/provisioning/${await make('/scim/directories', { name: 'People', domains: ['people.example'] })}`],
    ['Domain', `/domains/${await make('/domains', { domain: 'acme.example' })}`],
    ['Webhook', `/webhooks/${await make('/webhooks', { name: 'Chat', address: 'https://hooks.example/x', events: ['*'], enabled: false })}`],
    ['Project', `/projects/${(await list('/gateway-manager/projects'))[0].id}`],
    ['SecurityPolicy', '/security'],
    ['Organization', '/settings'],
    ['AuditRetention', '/audit/keeping'],
    ['AuditReceiver', '/audit/keeping', beside('Edit SIEM')],
    ['OAuthScope', '/auth/scopes', beside('Edit orders:read')],
    ['Environment', '/environments', beside(/^Change /)],
    ['Boundary', `/boundaries?of=${robot}`, () => page.getByRole('dialog').getByTestId('show-as').click()],
    ['Brand', '/brand'],
    ['LetterTemplate', '/brand/letters/invitation/en'],
    ['Invitation', '/invitations', row],
    ['Grant', '/grants', row],
  ]
  for (const [kind, path, opens] of things) {
    await page.goto(at.tenant + path)
    await (opens ?? (() => page.getByTestId('show-as').first().click()))()
    await page.getByRole('dialog').getByRole('radio', { name: 'CLI' }).waitFor()
    const read = await block(page, 'read')
    const byCommand = await run(read)
    await way(page, 'curl')
    const byCurl = await run(await block(page, 'read'))
    const same = (text) => JSON.stringify(JSON.parse(text))
    must(same(byCommand) === same(byCurl), `${kind}: curl and the command are answered differently`)
    if (opens === row) {
      must((await page.getByRole('dialog').getByRole('radio', { name: 'Manifest' }).count()) === 0, `${kind} cannot be changed, and has a manifest`)
      process.stdout.write(`ok ${kind}\n`)
      continue
    }
    const changing = await block(page, 'change')
    if (kind === 'Group') {
      await look(page, 'curl')
      if (shots) await pictures(page, shots, 'show-as')
    }
    await way(page, 'Manifest')
    if (kind === 'Group') await look(page, 'manifest')
    writeFileSync(join(folder, 'manifest.yaml'), await block(page, 'manifest'))
    const applied = JSON.parse(await run('gatehouse apply -f manifest.yaml -o json'))
    must(applied.length === 1 && applied[0].kind === kind && applied[0].outcome === 'unchanged', `${kind}: ${JSON.stringify(applied)}`)
    const all = [read, changing, readFileSync(join(folder, 'manifest.yaml'), 'utf8')].join('\n')
    must(!all.includes('not shown anywhere') && !all.includes(env.GATEHOUSE_TOKEN), `${kind}: a secret is shown`)
    if (kind === 'User') continue // the first owner may do more than the service account, which does not change them
    // The same again is what is there; where there is a version, it is the one that was shown.
    const after = JSON.parse(await run(changing))
    const before = JSON.parse(byCurl)
    must(before.id === after.id && before.name === after.name, `${kind}: it became something else`)
    process.stdout.write(`ok ${kind}\n`)
  }

  // What saving would send, of a form in which something was changed and a secret typed.
  await page.goto(`${at.tenant}/groups/${group}`)
  await page.getByTestId('edit-group').click()
  const form = page.getByRole('dialog')
  await form.getByLabel('Description').fill('On call; it\'s "theirs" now')
  await form.getByTestId('show-as').click()
  await page.locator('[data-block=saving]').waitFor()
  await look(page, 'saving')
  const saving = await block(page, 'saving')
  const saved = JSON.parse(await run(saving))
  must(saved.description === 'On call; it\'s "theirs" now', `saving by the command made ${JSON.stringify(saved)}`)
  await run(saving).then(
    () => must(false, 'a version that is gone was overwritten'),
    (error) => must(/version|changed/i.test(String(error)), String(error)),
  )
  writeFileSync(join(folder, 'manifest.yaml'), `kind: Group\npath: /tenant-manager/groups/${group}\nspec:\n  description: Anew\n`)
  const outcomes = []
  for (const flags of ['--dry-run', '', '']) outcomes.push(JSON.parse(await run(`gatehouse apply -f manifest.yaml ${flags} -o json`))[0].outcome)
  must(outcomes.join() === 'would-change,changed,unchanged', outcomes.join())

  // Every row of a list of three pages, and no cell of it is a formula.
  await Promise.all(Array.from({ length: 110 }, (_, i) => i).map((i) => make('/service-accounts', { name: i === 7 ? '=1+1' : `robot ${String(i).padStart(3, '0')}` })))
  await page.goto(`${at.tenant}/service-accounts`)
  await page.getByRole('button', { name: 'Next' }).waitFor()
  await look(page, 'list')
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByTestId('csv').click()])
  const lines = readFileSync(await file.path(), 'utf8').split('\r\n')
  must(lines.length === 1 + 112 + 1, `the file has ${lines.length} lines`)
  must(lines.some((l) => l.startsWith("'=1+1,")) && !lines.some((l) => l.startsWith('=')), 'there is a formula in the file')
  await page.goto(`${at.tenant}/service-accounts?q=robot`)
  await page.getByRole('button', { name: 'Next' }).waitFor()
  const [part] = await Promise.all([page.waitForEvent('download'), page.getByTestId('csv').click()])
  must(readFileSync(await part.path(), 'utf8').split('\r\n').length === 1 + 110 + 1, 'the file is not of the query')
  const everything = await run('gatehouse request GET /tenant-manager/service-accounts --all --csv')
  must(everything.trim().split('\r\n').length === 113, 'the command does not read the whole list')
  for (const path of ['/users', '/audit']) {
    await page.goto(at.tenant + path)
    const [sheet] = await Promise.all([page.waitForEvent('download'), page.getByTestId('csv').click()])
    must(readFileSync(await sheet.path(), 'utf8').includes(OWNER.name), `${path} is not in its file`)
  }
} catch (error) {
  wrong.push(error.stack)
  if (shots) await browser.pictures(shots)
} finally {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
}
// A user without a boundary has none to show, which browsers report.
const told = wrong.filter((w) => !/status of 404.*\/boundaries\//.test(w))
for (const w of told) process.stderr.write(`${w}\n`)
process.exit(told.length ? 1 : 0)
