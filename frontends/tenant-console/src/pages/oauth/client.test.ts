// @vitest-environment node
import { expect, it } from 'vitest'
import { body, common, DEVICE, empty, EXCHANGE, formOf, grantKey, kindOf, lines, type Client } from './client'

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

it('makes a client of a device, and of one that shows a certificate', () => {
  const device = body({ ...empty(), kind: 'device', redirectUris: 'https://left.example', mayIntrospect: true, exchange: true, authMethod: 'tls_client_auth' })
  expect(device).toMatchObject({ authMethod: 'none', grantTypes: [DEVICE, 'refresh_token'], redirectUris: [], mayIntrospect: false })
  expect(kindOf(device as Client)).toBe('device')
  const own = body({ ...empty(), authMethod: 'self_signed_tls_client_auth', certificate: ' PEM ', authority: 'left', certificateBound: true, exchange: true })
  expect(own).toMatchObject({ authMethod: 'self_signed_tls_client_auth', certificateThumbprint: 'PEM', certificateBound: true, grantTypes: ['client_credentials', EXCHANGE] })
  expect(own).not.toHaveProperty('certificateAuthority')
  expect(body({ ...empty(), authMethod: 'tls_client_auth', authority: 'CA', subject: ' dns:a ' })).toMatchObject({ certificateAuthority: 'CA', certificateSubject: 'dns:a' })
})

it('tells of sign-outs where somebody signs in', () => {
  const web = body({ ...empty(), kind: 'web', backchannel: ' https://shop.example/out ', dpopNonce: true })
  expect(web).toMatchObject({ backchannelLogoutUri: 'https://shop.example/out', backchannelLogoutSessionRequired: true, dpopNonce: false })
  expect(formOf({ ...web, redirectUris: [], description: '' } as unknown as Client)).toMatchObject({ backchannel: 'https://shop.example/out', backchannelSession: true })
  expect(body({ ...empty(), backchannel: 'https://left.example', dpopBound: true, dpopNonce: true })).toMatchObject({ backchannelLogoutUri: '', backchannelLogoutSessionRequired: false, dpopNonce: true })
})

it('keeps the grants of a client that is changed', () => {
  const c = { ...body({ ...empty(), kind: 'web', exchange: true }), grantTypes: ['authorization_code', EXCHANGE], audiences: [], description: '', certificateBound: false, dpopBound: true } as unknown as Client
  const form = formOf(c)
  expect(common(form)).toMatchObject({ grantTypes: ['authorization_code', EXCHANGE], dpopBound: true })
  expect(common({ ...form, exchange: false }).grantTypes).toEqual(['authorization_code'])
  expect([DEVICE, EXCHANGE, 'refresh_token' as const].map(grantKey)).toEqual(['device_code', 'token_exchange', 'refresh_token'])
})
