/** Korean texts of the tenant console, by area. */
import access from './access'
import audit from './audit'
import common from './common'
import mail from './mail'
import oauth from './oauth'
import organizations from './organizations'
import sso from './sso'
import users from './users'

export default { ...common, ...users, ...access, ...organizations, ...oauth, ...sso, ...mail, ...audit }
