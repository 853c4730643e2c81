/** Texts of the tenant console, by area. Keys are the same in every language. */
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

export default { ...common, ...access, ...audit, ...brand, ...domains, ...mail, ...oauth, ...organizations, ...oversight, ...people, ...sso, ...system, ...tenants, ...users }
