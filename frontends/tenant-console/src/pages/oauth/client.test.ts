// @vitest-environment node
import { expect, it } from 'vitest'
import { body, empty, formOf, kindOf, lines, type Client } from './client'

it('makes the three kinds of client', () => {
  const machine = body({ ...empty(), name: ' Billing ', redirectUris: 'https://left.example', audiences: 'https://a.example\nhttps://a.example  https://b.example' })
  expect(machine).toMatchObject({ name: 'Billing', authMethod: 'client_secret_basic', grantTypes: ['client_credentials'], redirectUris: [], audiences: ['https://a.example', 'https://b.example'], accessTokenSeconds: 600 })
  const web = body({ ...empty(), kind: 'web', redirectUris: 'https://shop.example/callback' })
  expect(web).toMatchObject({ authMethod: 'client_secret_basic', grantTypes: ['authorization_code', 'refresh_token'], redirectUris: ['https://shop.example/callback'] })
  expect(body({ ...empty(), kind: 'public', mayIntrospect: true })).toMatchObject({ authMethod: 'none', mayIntrospect: false })
})

it('reads a client back', () => {
  const c = { ...body({ ...empty(), kind: 'web', name: 'Shop', redirectUris: 'https://a.example\nhttps://b.example', minutes: 5 }), description: '' } as unknown as Client
  expect(kindOf(c)).toBe('web')
  expect(formOf(c)).toMatchObject({ name: 'Shop', kind: 'web', redirectUris: 'https://a.example\nhttps://b.example', minutes: 5 })
  expect(lines('  ')).toEqual([])
})
