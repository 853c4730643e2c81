/** All texts of the browser apps, by who has them. */
import type { Tree } from '../packages/ui/src/texts'
import adminEn from '../admin-console/src/locales/en'
import adminDe from '../admin-console/src/locales/de'
import adminKo from '../admin-console/src/locales/ko'
import portalEn from '../developer-portal/src/locales/en'
import portalDe from '../developer-portal/src/locales/de'
import portalKo from '../developer-portal/src/locales/ko'
import { formTexts as formEn } from '../packages/schema-form/src/locales'
import { formTexts as formDe } from '../packages/schema-form/src/locales/de'
import { formTexts as formKo } from '../packages/schema-form/src/locales/ko'
import uiEn from '../packages/ui/src/locales/en'
import uiDe from '../packages/ui/src/locales/de'
import uiKo from '../packages/ui/src/locales/ko'
import tenantEn from '../tenant-console/src/locales/en'
import tenantDe from '../tenant-console/src/locales/de'
import tenantKo from '../tenant-console/src/locales/ko'

export interface Catalogue {
  name: string
  english: Tree
  languages: Record<'de' | 'ko', Tree>
  /** Beginnings of the keys of which none may be missing: what people see before they could choose anything. */
  whole: string[]
}

export const catalogues: Catalogue[] = [
  { name: 'packages/ui', english: uiEn, languages: { de: uiDe, ko: uiKo }, whole: [''] },
  { name: 'packages/schema-form', english: formEn, languages: { de: formDe, ko: formKo }, whole: [''] },
  { name: 'admin-console', english: adminEn, languages: { de: adminDe, ko: adminKo }, whole: ['app.', 'apps.', 'setup.', 'invite.'] },
  {
    name: 'tenant-console',
    english: tenantEn,
    languages: { de: tenantDe, ko: tenantKo },
    whole: ['app.', 'apps.', 'setup.', 'invite.', 'passwordLink.', 'oauth.place', 'oauth.identity.', 'oauth.consent.', 'oauth.device.', 'oauth.failed.', 'oauth.out.'],
  },
  { name: 'developer-portal', english: portalEn, languages: { de: portalDe, ko: portalKo }, whole: ['app.', 'invite.'] },
]
