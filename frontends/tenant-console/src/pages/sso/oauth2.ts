/** A provider of plain OAuth 2.0, as the form of a connection has it. */
import type { TenantSchemas } from '@gatehouse/api'

export interface OAuth2Form {
  /** GitHub's address, from which the others follow; only for the preset github. */
  base: string
  authorizeUrl: string
  tokenUrl: string
  userUrl: string
  emailsUrl: string
  groups: { url: string; path: string }[]
  subject: string
  pkce: boolean
}

export const GITHUB = 'https://github.com'

/** Where GitHub is, or GitHub Enterprise at an address of one's own. */
export function github(base: string): OAuth2Form {
  const at = base.trim().replace(/\/+$/, '')
  const api = at === GITHUB ? 'https://api.github.com' : `${at}/api/v3`
  return {
    base: at, authorizeUrl: `${at}/login/oauth/authorize`, tokenUrl: `${at}/login/oauth/access_token`, userUrl: `${api}/user`, emailsUrl: `${api}/user/emails`,
    groups: [{ url: `${api}/user/orgs?per_page=100`, path: 'login' }, { url: `${api}/user/teams?per_page=100`, path: 'organization.login/slug' }], subject: 'id', pkce: true,
  }
}

export function emptyOAuth2(preset: TenantSchemas['SsoPreset']): OAuth2Form {
  if (preset === 'github') return github(GITHUB)
  return { base: '', authorizeUrl: '', tokenUrl: '', userUrl: '', emailsUrl: '', groups: [], subject: 'sub', pkce: true }
}

export function oauth2FormOf(preset: TenantSchemas['SsoPreset'], o?: TenantSchemas['SsoOauth2']): OAuth2Form {
  if (!o) return emptyOAuth2(preset)
  return {
    base: o.authorizeUrl.replace(/\/login\/oauth\/authorize$/, ''), authorizeUrl: o.authorizeUrl, tokenUrl: o.tokenUrl, userUrl: o.userUrl, emailsUrl: o.emailsUrl ?? '',
    groups: (o.groups ?? []).map((g) => ({ url: g.url, path: g.path ?? '' })), subject: o.subject ?? '', pkce: o.pkce ?? true,
  }
}

export function oauth2BodyOf(preset: TenantSchemas['SsoPreset'], f: OAuth2Form): TenantSchemas['SsoOauth2'] {
  const { base: _base, ...rest } = preset === 'github' ? { ...github(f.base), pkce: f.pkce } : f
  return { ...rest, groups: rest.groups.filter((g) => g.url.trim()).map((g) => ({ url: g.url.trim(), path: g.path.trim() })) }
}
