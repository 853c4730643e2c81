/** Says what was done, with a way back where there is one, and what failed. */
import { problemOf } from '@gatehouse/api'
import { show } from '../notices'

export function useNotice() {
  return {
    done(text: string, undo?: { label: string; run: () => void }) {
      show({ tone: 'live', title: text, ...(undo ? { action: undo } : {}) })
    },
    failed(error: unknown) {
      const problem = problemOf(error)
      show({ tone: 'bad', title: problem.title, ...(problem.detail ? { text: problem.detail } : {}) })
    },
  }
}
