/** Notices at the corner: what was done, with a way back where there is one. */
import { useToast } from '@nuxt/ui/composables/useToast'
import { problemOf } from '@gatehouse/api'

export function useNotice() {
  const toast = useToast()
  return {
    done(text: string, undo?: { label: string; run: () => void }) {
      toast.add({ title: text, icon: 'i-lucide-check', color: 'success', ...(undo ? { actions: [{ label: undo.label, color: 'neutral', variant: 'outline', onClick: undo.run }] } : {}) })
    },
    failed(error: unknown) {
      const problem = problemOf(error)
      toast.add({ title: problem.title, description: problem.detail ?? '', icon: 'i-lucide-circle-alert', color: 'error', duration: 12_000 })
    },
  }
}
