import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { preferences } from '../preferences'
import { preferencesLoaded } from '../preferenceSync'
import { shownColumns, useListChoices, type ListChoicesOf } from './useListChoices'

const columns = [
  { key: 'name', label: 'Name' },
  { key: 'email', label: 'E-mail' },
  { key: 'roles', label: 'Roles' },
  { key: 'id', label: 'Id', hidden: true },
  { key: 'actions', label: 'Actions', hiddenLabel: true },
]
async function page(address = '/users') {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:page', component: { render: () => null } }] })
  await router.push(address)
  let list!: ListChoicesOf
  mount(defineComponent({
    setup() {
      list = useListChoices({ name: () => 'users', columns: () => columns, prefix: () => '' })
      return () => h('i')
    },
  }), { global: { plugins: [router] } })
  await flushPromises()
  return { router, list, keys: () => list.shown.value.map((c) => c.key), query: () => router.currentRoute.value.query }
}
beforeEach(() => {
  preferences.lists = {}
  preferencesLoaded.value = true
})

describe('columns', () => {
  it('are the first, those chosen in their order, and the buttons', () => {
    expect(shownColumns(columns, ['roles', 'email', 'gone', 'roles']).map((c) => c.key)).toEqual(['name', 'roles', 'email', 'actions'])
  })
  it('are remembered by list, stand in the address, and go back', async () => {
    const p = await page()
    expect(p.keys()).toEqual(['name', 'email', 'roles', 'actions'])
    await p.list.toggle('id')
    await p.list.toggle('email')
    expect(p.keys()).toEqual(['name', 'roles', 'id', 'actions'])
    expect(p.query()).toEqual({ columns: 'roles,id' })
    expect((await page()).keys()).toEqual(['name', 'roles', 'id', 'actions'])
    await p.list.reset()
    expect(p.query()).toEqual({})
    expect(preferences.lists.users?.columns).toBeUndefined()
  })
  it('can be none but the first', async () => {
    const p = await page()
    await p.list.toggle('email')
    await p.list.toggle('roles')
    expect(p.keys()).toEqual(['name', 'actions'])
    expect((await page()).keys()).toEqual(['name', 'actions'])
  })
  it('of an address count for it alone, and unknown ones for nothing', async () => {
    expect((await page('/users?columns=id,nonsense')).keys()).toEqual(['name', 'id', 'actions'])
    expect((await page('/users?columns=nonsense')).keys()).toEqual(['name', 'email', 'roles', 'actions'])
    expect(preferences.lists).toEqual({})
  })
})

describe('views', () => {
  it('keep search, order and columns, and are opened, changed and deleted', async () => {
    const p = await page('/users?q=status:active&sort=seen&columns=id')
    await p.list.save('Active', false)
    const v = p.list.current.value!
    expect(v).toMatchObject({ name: 'Active', query: 'status:active', sort: 'seen', columns: ['id'] })
    await p.list.open(null)
    expect(p.query()).toEqual({})
    await p.list.open(v)
    expect(p.query()).toEqual({ q: 'status:active', sort: 'seen', columns: 'id', view: v.id })
    expect(p.list.changed.value).toBe(false)
    await p.router.replace({ query: { ...p.query(), q: 'status:disabled' } })
    expect(p.list.changed.value).toBe(true)
    await p.list.overwrite()
    expect(p.list.current.value?.query).toBe('status:disabled')
    expect(p.list.changed.value).toBe(false)
    p.list.rename(v.id, 'Gone')
    expect(p.list.current.value?.name).toBe('Gone')
    const undo = p.list.remove(p.list.current.value!)
    await flushPromises()
    expect(p.list.views.value).toEqual([])
    expect(p.query()).toMatchObject({ q: 'status:disabled' })
    undo()
    expect(p.list.views.value.map((x) => x.name)).toEqual(['Gone'])
  })
  it('leave the columns of the list alone', async () => {
    const p = await page()
    await p.list.save('Plain', false)
    await p.list.toggle('email')
    expect(p.list.changed.value).toBe(true)
    expect(preferences.lists.users?.columns).toBeUndefined()
  })
  it('are links that hold everything, without what is one\'s own', async () => {
    const p = await page('/users?q=eve')
    await p.list.save('Eve', false)
    const url = new URL(p.list.link())
    expect(Object.fromEntries(url.searchParams)).toEqual({ q: 'eve', columns: 'email,roles' })
  })
  it('open the list where its address says nothing, also when they come late', async () => {
    preferencesLoaded.value = false
    const late = await page()
    expect(late.query()).toEqual({})
    preferences.lists = { users: { views: { v1: { name: 'Mine', query: 'x' } }, defaultView: 'v1' } }
    preferencesLoaded.value = true
    await flushPromises()
    expect(late.query()).toEqual({ q: 'x', view: 'v1' })
    await late.list.open(null)
    expect(late.query()).toEqual({ view: 'all' })
    expect((await page('/users?q=other')).query()).toEqual({ q: 'other' })
    const p = await page()
    await p.router.replace({ query: {} })
    await flushPromises()
    expect(p.query()).toEqual({}) // who takes it all away wants it away
  })
})
