/** German texts of the shared components. */
import { de as library } from '@nuxt/ui/locale'
import { mergeTexts } from '../../texts'
import { fieldCodes, fieldLimits } from './field-codes'
import people from './people'
import problemHelp from './problem-help'
import problems from './problems'
import shell from './shell'
import signIn from './sign-in'

export { library }

export default mergeTexts(shell, signIn, { problems, problemHelp, fieldCodes, fieldLimits }, people)
