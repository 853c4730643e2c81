import { effectScope, nextTick, ref, shallowRef } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ProblemError, toProblem } from '@gatehouse/api'
import { asking, guardUnsaved, mayLeave, unsaved, useUnsaved } from './unsaved'
import { useEdit } from './useEdit'

interface Thing { version: number; name: string; note: string }
const scopes: ReturnType<typeof effectScope>[] = []
function inScope<T>(fn: () => T): T {
  const scope = effectScope()
  scopes.push(scope)
  return scope.run(fn)!
}
afterEach(() => scopes.splice(0).forEach((s) => s.stop()))

/** A server with one thing, which refuses what began from an older version. */
function server(start: Thing) {
  const stored = shallowRef(start)
  return {
    stored,
    save: vi.fn((form: Omit<Thing, 'version'>, from: Thing) => {
      if (from.version !== stored.value.version) return Promise.reject(new ProblemError(toProblem({ title: 'Changed', code: 'precondition-failed' }, 412)))
      stored.value = { ...form, version: from.version + 1 }
      return Promise.resolve(stored.value)
    }),
  }
}
function edit(s: ReturnType<typeof server>, seen = shallowRef<Thing | undefined>(s.stored.value)) {
  return { seen, ...inScope(() => useEdit({ stored: () => seen.value, fields: ({ name, note }: Thing) => ({ name, note }), fresh: () => Promise.resolve(s.stored.value), save: s.save })) }
}

describe('useEdit', () => {
  it('follows what is stored until somebody types', async () => {
    const e = edit(server({ version: 1, name: 'a', note: '' }))
    e.seen.value = { version: 2, name: 'b', note: '' }
    await nextTick()
    expect(e.form.value).toEqual({ name: 'b', note: '' })
    e.form.value!.name = 'typed'
    e.seen.value = { version: 3, name: 'c', note: '' }
    await nextTick()
    expect(e.form.value!.name).toBe('typed')
    expect(unsaved()).toBe(true)
    e.reset()
    expect(e.form.value!.name).toBe('c')
    expect(unsaved()).toBe(false)
  })

  it('shows three versions where somebody else saved first, and saves what is chosen', async () => {
    const s = server({ version: 1, name: 'a', note: '' })
    const e = edit(s)
    e.form.value!.name = 'mine'
    s.stored.value = { version: 2, name: 'theirs', note: 'new' }
    await e.save()
    expect(e.problem.value).toBeNull()
    expect(e.conflict.value!.rows).toEqual([
      { key: 'name', was: 'a', mine: 'mine', theirs: 'theirs', by: 'both' },
      { key: 'note', was: '', mine: '', theirs: 'new', by: 'theirs' },
    ])
    await e.conflict.value!.resolve({ name: 'mine', note: 'theirs' })
    expect(s.stored.value).toEqual({ version: 3, name: 'mine', note: 'new' })
    expect(e.dirty.value).toBe(false)
  })

  it('goes on by itself where nothing of the form was changed by others', async () => {
    const s = server({ version: 1, name: 'a', note: '' })
    const e = edit(s)
    e.form.value!.name = 'mine'
    s.stored.value = { ...s.stored.value, version: 7 }
    await e.save()
    expect(s.stored.value).toEqual({ version: 8, name: 'mine', note: '' })
    expect(e.conflict.value).toBeNull()
  })

  it('says any other problem, and keeps what was typed', async () => {
    const s = server({ version: 1, name: 'a', note: '' })
    s.save.mockRejectedValueOnce(new ProblemError(toProblem({ title: 'Invalid input', code: 'invalid-input' }, 422)))
    const e = edit(s)
    e.form.value!.name = 'mine'
    await e.save()
    expect(e.problem.value?.code).toBe('invalid-input')
    expect(e.form.value!.name).toBe('mine')
  })
})

describe('leaving changes', () => {
  it('asks before another page is shown', async () => {
    const page = { template: '<div />' }
    const router = createRouter({ history: createMemoryHistory(), routes: ['/a', '/b'].map((path) => ({ path, component: page })) })
    guardUnsaved(router)
    await router.push('/a')
    const dirty = ref(true)
    inScope(() => useUnsaved(dirty))
    let going = router.push('/b')
    await vi.waitFor(() => expect(asking.value).not.toBeNull())
    asking.value!(false)
    await going
    expect(router.currentRoute.value.path).toBe('/a')
    await router.push('/a?tab=2') // the same page
    going = router.push('/b')
    await vi.waitFor(() => expect(asking.value).not.toBeNull())
    asking.value!(true)
    await going
    expect(router.currentRoute.value.path).toBe('/b')
  })

  it('keeps a tab open that has changes, and asks nothing where there are none', async () => {
    const close = () => {
      const event = new Event('beforeunload', { cancelable: true })
      dispatchEvent(event)
      return event.defaultPrevented
    }
    expect(close()).toBe(false)
    expect(await mayLeave()).toBe(true)
    inScope(() => useUnsaved(true))
    expect(close()).toBe(true)
  })
})
