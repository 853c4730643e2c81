/** German texts of the shared components. */
import { de as library } from '@nuxt/ui/locale'
import { mergeTexts } from '../../texts'
import people from './people'
import problems from './problems'
import shell from './shell'
import signIn from './sign-in'

export { library }

/** Texts of which the English ones may come later; a test lets them be ahead. */
export const ahead = people

export default mergeTexts(shell, signIn, { problems }, ahead)
