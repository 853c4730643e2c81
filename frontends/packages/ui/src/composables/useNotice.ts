/** Says what was done, with a way back where there is one, and what failed. */
import { problemOf } from '@gatehouse/api'
import { show } from '../notices'
import { useProblemTitle } from './useProblemTitle'

export function useNotice() {
  const titleOf = useProblemTitle()
  return {
    done(text: string, undo?: { label: string; run: () => void }) {
      show({ tone: 'live', title: text, ...(undo ? { action: undo } : {}) })
    },
    failed(error: unknown) {
      const problem = problemOf(error)
      show({ tone: 'bad', title: titleOf(problem), ...(problem.detail ? { text: problem.detail } : {}) })
    },
  }
}
