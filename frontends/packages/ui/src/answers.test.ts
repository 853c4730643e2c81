import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { followAnswers } from './answers'

let stop = () => {}
beforeEach(() => {
  Element.prototype.scrollIntoView = () => {}
  stop = followAnswers(document)
})
afterEach(() => {
  stop()
  document.body.replaceChildren()
})

function form(html: string): HTMLFormElement {
  document.body.innerHTML = `<form>${html}</form>`
  const made = document.querySelector('form')!
  made.addEventListener('submit', (e) => e.preventDefault())
  return made
}
const field = (name: string) => document.querySelector<HTMLElement>(`[name=${name}]`)!
const send = (f: HTMLFormElement) => f.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }))

it('goes to the first field that is wrong', async () => {
  send(form('<input name="a"><input name="b"><input name="c">'))
  field('c').setAttribute('aria-invalid', 'true')
  field('b').setAttribute('aria-invalid', 'true')
  await vi.waitFor(() => expect(document.activeElement).toBe(field('b')))
})

it('goes into a group that is marked as a whole', async () => {
  send(form('<fieldset role="radiogroup"><input type="radio" name="a"></fieldset>'))
  document.querySelector('fieldset')!.setAttribute('aria-invalid', 'true')
  await vi.waitFor(() => expect(document.activeElement).toBe(field('a')))
})

it('goes to the problem above the form where no field is wrong', async () => {
  const f = form('<input name="a">')
  send(f)
  f.insertAdjacentHTML('afterbegin', '<div role="alert">Refused</div>')
  await vi.waitFor(() => expect(document.activeElement).toBe(f.querySelector('[role=alert]')))
})

it('goes there again when the same form is sent again', async () => {
  const f = form('<input name="a"><input name="b">')
  send(f)
  field('a').setAttribute('aria-invalid', 'true')
  await vi.waitFor(() => expect(document.activeElement).toBe(field('a')))
  field('b').focus()
  send(f)
  field('a').setAttribute('aria-invalid', 'false')
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  expect(document.activeElement).toBe(field('b'))
  field('a').setAttribute('aria-invalid', 'true')
  await vi.waitFor(() => expect(document.activeElement).toBe(field('a')))
})

it('leaves whoever goes on typing where they are', async () => {
  const f = form('<input name="a"><input name="b">')
  send(f)
  field('b').focus()
  field('b').dispatchEvent(new Event('input', { bubbles: true }))
  field('a').setAttribute('aria-invalid', 'true')
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  expect(document.activeElement).toBe(field('b'))
})
