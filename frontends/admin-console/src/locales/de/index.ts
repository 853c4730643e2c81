/** German texts of the admin console, by area. */
import { formTexts } from '@gatehouse/schema-form/de'
import apis from './apis'
import common from './common'
import consumers from './consumers'
import deployments from './deployments'
import gateways from './gateways'
import policies from './policies'
import traffic from './traffic'

export default { form: formTexts, ...common, ...apis, ...deployments, ...policies, ...consumers, ...traffic, ...gateways }
