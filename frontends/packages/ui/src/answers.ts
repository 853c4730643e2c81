/**
 * Takes whoever submitted a form to what came back: to the first field that is wrong, or to
 * the problem above the form. It knows forms only by what they show: fields that are
 * marked as wrong (aria-invalid), and alerts.
 */

/** How long an answer may take and still move the focus, in milliseconds. */
const PATIENCE = 30_000

const WRONG = '[aria-invalid=true], [data-field-error]'

/** What to show of a form that was refused: its first wrong field, else its first alert. */
export function firstWrong(form: ParentNode): HTMLElement | null {
  const marked = [...form.querySelectorAll<HTMLElement>(WRONG)].find((e) => !e.closest('[inert], [hidden]'))
  if (!marked) return form.querySelector<HTMLElement>('[role=alert]')
  // A group is marked as a whole; what is in it takes the focus.
  if (marked.matches('input, select, textarea, button, [tabindex]')) return marked
  return marked.querySelector<HTMLElement>('input, select, textarea, button, [tabindex]') ?? marked
}

/** Follows the forms of a page, and returns how to stop. */
export function followAnswers(page: Document): () => void {
  let stop = () => {}
  function submitted(event: Event) {
    stop()
    const form = event.target
    if (!(form instanceof HTMLFormElement)) return
    let frame = 0
    const watcher = new MutationObserver(() => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => {
        const wrong = firstWrong(form)
        if (!wrong || form.querySelector('[aria-busy=true]')) return
        stop()
        if (!wrong.matches('input, select, textarea, button, [tabindex]')) wrong.tabIndex = -1
        wrong.focus({ preventScroll: true })
        wrong.scrollIntoView({ block: 'center' })
      })
    })
    watcher.observe(form, { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-invalid', 'role'] })
    const typing = () => stop() // who goes on is not called back
    form.addEventListener('input', typing)
    const timer = setTimeout(() => stop(), PATIENCE)
    stop = () => {
      stop = () => {}
      watcher.disconnect()
      cancelAnimationFrame(frame)
      clearTimeout(timer)
      form.removeEventListener('input', typing)
    }
  }
  page.addEventListener('submit', submitted, true)
  return () => {
    stop()
    page.removeEventListener('submit', submitted, true)
  }
}
