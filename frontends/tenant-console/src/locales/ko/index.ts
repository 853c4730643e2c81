/** Korean texts of the tenant console, by area. */
import { mergeTexts } from '@gatehouse/ui/texts'
import access from './access'
import audit from './audit'
import brand from './brand'
import common from './common'
import domains from './domains'
import mail from './mail'
import oauth from './oauth'
import organizations from './organizations'
import oversight from './oversight'
import people from './people'
import sso from './sso'
import system from './system'
import tenants from './tenants'
import users from './users'

export default mergeTexts(common, users, access, organizations, oauth, sso, mail, audit, tenants, people, oversight, domains, brand, system)
