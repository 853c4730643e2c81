/** Texts of the admin console, by area. Keys are the same in every language. */
import { formTexts } from '@gatehouse/schema-form'
import apis from './apis'
import common from './common'
import consumers from './consumers'
import deployments from './deployments'
import gateways from './gateways'
import policies from './policies'
import traffic from './traffic'

export default { form: formTexts, ...common, ...apis, ...deployments, ...policies, ...consumers, ...traffic, ...gateways }
