import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { entities } from '@gatehouse/api'
import { change, command, curl, entityAt, manifest, requestCommand, shellWord, written } from './showas'

/** What a shell makes of words. */
const shell = (script: string, env: Record<string, string> = {}) => execFileSync('sh', ['-c', script], { env: { PATH: process.env.PATH!, ...env } }).toString()

test('a word is what it was after a shell has read it', () => {
  for (const word of ['plain', "it's", 'a "b" $HOME `id` \\ !', 'zwei\nZeilen', '=x', '', '--', '김']) expect(shell(`printf %s ${shellWord(word)}`)).toBe(word)
})

test('what can be written at a path, and nothing else', () => {
  expect(entityAt('/tenant-manager/groups/0192')?.kind).toBe('Group')
  expect(entityAt('/tenant-manager/groups')).toBeUndefined()
  expect(entityAt('/gateway-manager/groups/0192')).toBeUndefined()
  const group = { id: '0192', version: 3, name: 'Staff', description: 'it\'s "us"', members: 4, directory: null }
  expect(written('/tenant-manager/groups/0192', group)).toEqual({ name: 'Staff', description: 'it\'s "us"' })
  expect(change('/tenant-manager/groups/0192', group)).toMatchObject({ method: 'PATCH', match: '"v3"' })
  expect(manifest('/tenant-manager/groups/0192', { name: 'Staff' })).toBe('kind: Group\npath: "/tenant-manager/groups/0192"\nspec:\n  name: "Staff"')
})

test('a shell sends what the form holds, with the secret of its environment', () => {
  const body = { name: "it's", clientSecret: 'hunter2', password: 'env:MAIL', nested: [{ bindPassword: 'hunter3' }], tokenFormat: 'jwt' }
  const call = { method: 'PUT', path: '/tenant-manager/sso/connections/1', match: '"v1"', body }
  for (const text of [curl(call), command(call)]) {
    expect(text).not.toMatch(/hunter/)
    const args = shell(`curl() { printf '%s\\0' "$@"; }; gatehouse() { printf '%s\\0' "$@"; }; ${text}`, { GATEHOUSE_URL: 'https://x', GATEHOUSE_TOKEN: 'ghp_1', GATEHOUSE_SECRET: 'from the shell' }).split('\0')
    expect(args).toContain(text.startsWith('curl') ? 'If-Match: "v1"' : '"v1"')
    expect(JSON.parse(args.find((a) => a.startsWith('{'))!)).toEqual({ ...body, clientSecret: 'from the shell', nested: [{ bindPassword: 'from the shell' }] })
    if (text.startsWith('curl')) expect(args).toEqual(expect.arrayContaining(['https://x/api/tenant-manager/v1/sso/connections/1', 'Authorization: Bearer ghp_1', 'Content-Type: application/json']))
  }
})

test('a manifest has no secrets and nothing that cannot be written', () => {
  const text = manifest('/tenant-manager/sso/connections/1', { name: 'LDAP', clientSecret: 'hunter2', ldap: { bindPassword: 'hunter3', address: 'ldaps://x', caKey: null }, members: 4, issuer: null })
  expect(text).toBe('kind: SsoConnection\npath: "/tenant-manager/sso/connections/1"\nspec:\n  name: "LDAP"\n  ldap: {"address":"ldaps://x","caKey":null}')
  expect(manifest('/tenant-manager/mail/settings', { password: 'env:MAIL' })).toContain('password: "env:MAIL"')
})

test('every kind has a call for reading it and one for changing it', () => {
  for (const e of entities) {
    const path = `/${e.service}${e.path.replaceAll(/\{[^}]+\}/g, 'x')}`
    expect(entityAt(path)).toBe(e)
    const values = Object.fromEntries(e.fields.map((f) => [f, 'a']))
    const call = change(path, { version: 1, ...(e.within ? { [e.within]: values } : values) })!
    expect(call.body).toEqual(values)
    expect(curl(call)).toContain(`-X ${e.method} "$GATEHOUSE_URL"/api/${e.service}/v1`)
  }
})

test('the command for a whole list has its filters and not its page', () => {
  expect(requestCommand('http://x/api/tenant-manager/v1/users?limit=200&status=active&q=a+b')).toBe("gatehouse request GET '/tenant-manager/users?status=active&q=a+b' --all --csv")
})
