/** German texts of the developer portal, by area. */
import apis from './apis'
import apps from './apps'
import common from './common'

export default { ...common, ...apis, ...apps }
