/** A SAML 2.0 identity provider, as the form of a connection has it. */
import type { TenantSchemas } from '@gatehouse/api'

export interface SAMLForm {
  /** How the provider is told: the address of its metadata, the metadata itself, or by hand. */
  source: 'url' | 'xml' | 'hand'
  metadataUrl: string
  metadata: string
  entityId: string
  ssoUrl: string
  /** In PEM, one after the other. */
  certificates: string
  nameIdFormat: TenantSchemas['SamlNameIdFormat']
  subjectAttribute: string
}

export function emptySAML(): SAMLForm {
  return { source: 'url', metadataUrl: '', metadata: '', entityId: '', ssoUrl: '', certificates: '', nameIdFormat: 'persistent', subjectAttribute: '' }
}

export function samlFormOf(s?: TenantSchemas['SsoSaml']): SAMLForm {
  if (!s) return emptySAML()
  return {
    source: s.entityId && !s.metadataUrl ? 'hand' : 'url',
    metadataUrl: s.metadataUrl ?? '',
    metadata: '',
    entityId: s.entityId,
    ssoUrl: s.ssoUrl,
    certificates: s.certificates.map((c) => c.pem).join(''),
    nameIdFormat: s.nameIdFormat,
    subjectAttribute: s.subjectAttribute ?? '',
  }
}

/** Only what belongs to the chosen source is sent. */
export function samlBodyOf(f: SAMLForm): TenantSchemas['SsoSamlInput'] {
  const how: TenantSchemas['SsoSamlInput'] = { nameIdFormat: f.nameIdFormat, subjectAttribute: f.subjectAttribute.trim() }
  if (f.source === 'url') return { ...how, ...(f.metadataUrl.trim() ? { metadataUrl: f.metadataUrl.trim() } : {}) }
  if (f.source === 'xml') return { ...how, ...(f.metadata.trim() ? { metadata: f.metadata } : {}) }
  return { ...how, entityId: f.entityId.trim(), ssoUrl: f.ssoUrl.trim(), certificates: f.certificates.trim() ? [f.certificates.trim()] : [] }
}

const DAY = 86_400_000

/** How a certificate stands: it has ended, ends within 30 days, or neither. */
export function standing(c: TenantSchemas['SamlCertificate'], now: number): { tone: 'live' | 'warn' | 'bad'; text: 'valid' | 'soon' | 'ended' } {
  const days = c.notAfter === undefined ? Infinity : (new Date(c.notAfter).getTime() - now) / DAY
  if (days < 0) return { tone: 'bad', text: 'ended' }
  return days <= 30 ? { tone: days <= 7 ? 'bad' : 'warn', text: 'soon' } : { tone: 'live', text: 'valid' }
}
