/** A client as a form has it: lists are lines of text. */
import type { TenantSchemas } from '@gatehouse/api'

export type Client = TenantSchemas['OAuthClient']

export const KINDS = ['machine', 'web', 'public'] as const
export type Kind = (typeof KINDS)[number]

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
}

export function empty(): ClientForm {
  return { name: '', description: '', kind: 'machine', redirectUris: '', scopes: [], audiences: '', tokenFormat: 'jwt', algorithm: 'EdDSA', minutes: 10, skipConsent: false, mayIntrospect: false }
}

export function lines(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter(Boolean))]
}

export function kindOf(c: Pick<Client, 'authMethod' | 'grantTypes'>): Kind {
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
  }
}

/** What does not depend on the kind. */
export function common(f: ClientForm) {
  return {
    name: f.name.trim(),
    description: f.description,
    redirectUris: f.kind === 'machine' ? [] : lines(f.redirectUris),
    scopes: f.scopes,
    audiences: lines(f.audiences),
    tokenFormat: f.tokenFormat,
    algorithm: f.algorithm,
    accessTokenSeconds: Math.max(1, Math.round(f.minutes)) * 60,
    skipConsent: f.skipConsent,
    mayIntrospect: f.kind === 'public' ? false : f.mayIntrospect,
  }
}

/** What a new client is made of. */
export function body(f: ClientForm): TenantSchemas['OAuthClientInput'] {
  const grantTypes: TenantSchemas['OAuthGrantType'][] = f.kind === 'machine' ? ['client_credentials'] : ['authorization_code', 'refresh_token']
  return { ...common(f), authMethod: f.kind === 'public' ? 'none' : 'client_secret_basic', grantTypes }
}
