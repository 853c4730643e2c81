/** A client as a form has it: lists are lines of text. */
import type { TenantSchemas } from '@gatehouse/api'

export type Client = TenantSchemas['OAuthClient']

export const KINDS = ['machine', 'web', 'public', 'device'] as const
export type Kind = (typeof KINDS)[number]

export type Grant = TenantSchemas['OAuthGrantType']
export const DEVICE: Grant = 'urn:ietf:params:oauth:grant-type:device_code'
export const EXCHANGE: Grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const GRANTS: Grant[] = ['authorization_code', 'refresh_token', 'client_credentials', DEVICE, EXCHANGE]

/** The key of a grant's words. */
export function grantKey(g: Grant) {
  return g === DEVICE ? 'device_code' : g === EXCHANGE ? 'token_exchange' : (g as 'authorization_code' | 'refresh_token' | 'client_credentials')
}

export const METHODS = ['client_secret_basic', 'tls_client_auth', 'self_signed_tls_client_auth'] as const

export interface ClientForm {
  name: string
  description: string
  kind: Kind
  redirectUris: string
  scopes: string[]
  audiences: string
  tokenFormat: Client['tokenFormat']
  algorithm: Client['algorithm']
  minutes: number
  skipConsent: boolean
  mayIntrospect: boolean
  authMethod: Client['authMethod']
  certificate: string
  authority: string
  subject: string
  certificateBound: boolean
  dpopBound: boolean
  dpopNonce: boolean
  backchannel: string
  backchannelSession: boolean
  grants: Grant[]
  exchange: boolean
}

export function empty(): ClientForm {
  return { name: '', description: '', kind: 'machine', redirectUris: '', scopes: [], audiences: '', tokenFormat: 'jwt', algorithm: 'EdDSA', minutes: 10, skipConsent: false, mayIntrospect: false, authMethod: 'client_secret_basic', certificate: '', authority: '', subject: '', certificateBound: false, dpopBound: false, dpopNonce: false, backchannel: '', backchannelSession: true, grants: [], exchange: false }
}

export function lines(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter(Boolean))]
}

export function kindOf(c: Pick<Client, 'authMethod' | 'grantTypes'>): Kind {
  if (c.grantTypes.includes(DEVICE) && !c.grantTypes.includes('authorization_code')) return 'device'
  if (c.authMethod === 'none') return 'public'
  return c.grantTypes.includes('authorization_code') ? 'web' : 'machine'
}

export function formOf(c: Client): ClientForm {
  return {
    name: c.name,
    description: c.description,
    kind: kindOf(c),
    redirectUris: c.redirectUris.join('\n'),
    scopes: [...c.scopes],
    audiences: c.audiences.join('\n'),
    tokenFormat: c.tokenFormat,
    algorithm: c.algorithm,
    minutes: Math.round(c.accessTokenSeconds / 60),
    skipConsent: c.skipConsent,
    mayIntrospect: c.mayIntrospect,
    authMethod: c.authMethod,
    certificate: c.certificateThumbprint ?? '',
    authority: c.certificateAuthority ?? '',
    subject: c.certificateSubject ?? '',
    certificateBound: c.certificateBound,
    dpopBound: c.dpopBound,
    dpopNonce: c.dpopNonce,
    backchannel: c.backchannelLogoutUri ?? '',
    backchannelSession: c.backchannelLogoutUri ? c.backchannelLogoutSessionRequired : true,
    grants: c.grantTypes.filter((g) => g !== EXCHANGE),
    exchange: c.grantTypes.includes(EXCHANGE),
  }
}

/** Whether it has secrets or certificates to itself, and may act for others. */
export function confidential(f: Pick<ClientForm, 'kind'>): boolean {
  return f.kind === 'machine' || f.kind === 'web'
}

/** What the way it authenticates itself asks for. */
function certificate(f: ClientForm) {
  if (f.authMethod === 'self_signed_tls_client_auth') return { certificateThumbprint: f.certificate.trim() }
  if (f.authMethod === 'tls_client_auth') return { certificateAuthority: f.authority, certificateSubject: f.subject.trim() }
  return {}
}

/** What does not depend on the kind. */
export function common(f: ClientForm) {
  return {
    name: f.name.trim(),
    description: f.description,
    grantTypes: [...f.grants, ...(f.exchange && confidential(f) ? [EXCHANGE] : [])],
    redirectUris: f.kind === 'machine' || f.kind === 'device' ? [] : lines(f.redirectUris),
    scopes: f.scopes,
    audiences: lines(f.audiences),
    tokenFormat: f.tokenFormat,
    algorithm: f.algorithm,
    accessTokenSeconds: Math.max(1, Math.round(f.minutes)) * 60,
    skipConsent: f.skipConsent,
    mayIntrospect: confidential(f) ? f.mayIntrospect : false,
    certificateBound: f.certificateBound,
    dpopBound: f.dpopBound,
    dpopNonce: f.dpopBound && f.dpopNonce,
    backchannelLogoutUri: f.kind === 'machine' ? '' : f.backchannel.trim(),
    backchannelLogoutSessionRequired: f.kind !== 'machine' && Boolean(f.backchannel.trim()) && f.backchannelSession,
    ...certificate(f),
  }
}

const OF: Record<Kind, Grant[]> = {
  machine: ['client_credentials'],
  web: ['authorization_code', 'refresh_token'],
  public: ['authorization_code', 'refresh_token'],
  device: [DEVICE, 'refresh_token'],
}

/** What a new client is made of. */
export function body(f: ClientForm): TenantSchemas['OAuthClientInput'] {
  const authMethod = confidential(f) ? f.authMethod : 'none'
  return { ...common({ ...f, authMethod, grants: OF[f.kind] }), authMethod }
}
