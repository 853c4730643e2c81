// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { changes, documentOf, onlyMissing, patched, preferencesFrom, type Document } from './preferenceChanges'

const with_ = (document: Document) => preferencesFrom(document)
const view = { name: 'Mine', query: 'status:active' }

describe('changes', () => {
  it('are the keys that were changed, and none that only say what holds anyway', () => {
    expect(changes({}, with_({}))).toEqual({})
    expect(changes({}, with_({ theme: 'dark' }))).toEqual({ theme: 'dark' })
    expect(changes({ theme: 'dark', utc: true }, with_({ theme: 'system', utc: true }))).toEqual({ theme: 'system' })
    expect(changes({}, with_({ lists: { users: { views: {} } } }))).toEqual({})
  })
  it('of a list go by its columns, its default and each view', () => {
    const known: Document = { lists: { users: { columns: ['a'], views: { v1: view, v2: view }, defaultView: 'v1' }, groups: { columns: ['b'] } } }
    expect(changes(known, with_(known))).toEqual({})
    expect(changes(known, with_({ lists: { users: { views: { v2: view, v3: view } } } }))).toEqual({
      lists: { users: { columns: null, defaultView: null, views: { v1: null, v3: view } }, groups: { columns: null } },
    })
  })
  it('send a view as a whole, so that halves of two browsers make none', () => {
    const known: Document = { lists: { users: { views: { v1: { ...view, sort: 'seen' } } } } }
    expect(changes(known, with_({ lists: { users: { views: { v1: { name: 'Ours', query: '' } } } } }))).toEqual({
      lists: { users: { views: { v1: { name: 'Ours', query: '', sort: null, columns: null } } } },
    })
  })
  it('of two browsers meet: what each changed stays changed', () => {
    const known: Document = { theme: 'dark', lists: { users: { views: { v1: view } } } }
    const server = patched(known, changes(known, with_({ ...known, utc: true, lists: { users: { views: { v1: view, v2: view } } } })))
    const offline = changes(known, with_({ ...known, theme: 'light', lists: { users: { columns: ['email'], views: {} } } }))
    expect(patched(server, offline)).toEqual({ theme: 'light', utc: true, lists: { users: { columns: ['email'], views: { v2: view } } } })
  })
})

it('hands over what a browser kept before the server did, where the server has nothing', () => {
  const here = changes({}, with_({ theme: 'dark', utc: true }))
  expect(onlyMissing(here, { theme: 'light' })).toEqual({ utc: true })
})

it('keeps no reference to what it was given', () => {
  const document: Document = { lists: { users: { views: { v1: view } } } }
  preferencesFrom(document).lists.users!.views!.v1!.name = 'other'
  documentOf(preferencesFrom(document)).lists!.users!.views!.v1!.name = 'other'
  expect(document.lists!.users!.views!.v1!.name).toBe('Mine')
})
