// @vitest-environment jsdom
import { mount } from '@vue/test-utils'
import { defineComponent, h, ref } from 'vue'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import { expect, test, vi } from 'vitest'
import en from '../locales/en'
import GhExport from './GhExport.vue'
import GhTime from './GhTime.vue'

interface Row {
  id: string
  name: string
  at: string
  calls: number
}

const row = (i: number): Row => ({ id: `id-${i}`, name: i === 7 ? '=1+1' : `n, "${i}"`, at: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(), calls: i * 1000 })

function draw(list: { pages: (signal: AbortSignal) => AsyncIterable<Row[]>; total: { value: number | undefined } }, most?: number) {
  const saved: Blob[] = []
  URL.createObjectURL = (blob: Blob | MediaSource) => (saved.push(blob as Blob), 'blob:x')
  URL.revokeObjectURL = () => {}
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {})
  const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: { ui: en } } as never })
  const List = defineComponent({
    setup: (_, { slots }) => () => h(GhExport as never, { list, columns: [{ key: 'name', label: 'Name' }, { key: 'at', label: 'Seen, last' }, { key: 'calls', label: 'Calls' }, { key: 'do', label: 'Actions', hiddenLabel: true }], label: 'My things', rowKey: (r: Row) => r.id, cells: slots, ...(most ? { most } : {}) }),
  })
  const wrapper = mount(List, {
    slots: { 'cell-name': ({ row }: { row: Row }) => h('b', row.name), 'cell-at': ({ row }: { row: Row }) => h(GhTime, { value: row.at }) },
    global: { plugins: [i18n, createRouter({ history: createMemoryHistory(), routes: [{ path: '/', component: { render: () => null } }] })] },
  })
  return { wrapper, saved }
}

async function* pages(n: number, size: number, signal: AbortSignal) {
  for (let i = 0; i < n; i++) {
    if (signal.aborted) throw new Error('aborted')
    yield await Promise.resolve(Array.from({ length: size }, (_, k) => row(i * size + k + 1)))
  }
}

test('every row of every page is in the file, as the screen says it', async () => {
  const { wrapper, saved } = draw({ pages: (signal) => pages(3, 50, signal), total: ref(undefined) })
  await wrapper.get('button').trigger('click')
  await vi.waitFor(() => expect(saved).toHaveLength(1), { timeout: 15_000 })
  expect([...new Uint8Array(await saved[0]!.slice(0, 3).arrayBuffer())]).toEqual([0xef, 0xbb, 0xbf])
  const lines = (await saved[0]!.text()).replace(/^\ufeff/, '').split('\r\n')
  expect(lines).toHaveLength(1 + 150 + 1)
  expect(lines[0]).toBe('Name,"Seen, last",Calls,id')
  expect(lines[1]).toBe('"n, ""1""",2026-01-01T00:00:01.000Z,1000,id-1')
  expect(lines[7]).toBe("'=1+1,2026-01-01T00:00:07.000Z,7000,id-7")
  expect(lines[150]).toMatch(/,id-150$/)
  expect(document.querySelector('[role=dialog]')).toBeNull()
}, 30_000)

test('what is more than a browser reads is said', async () => {
  const { wrapper, saved } = draw({ pages: (signal) => pages(3, 50, signal), total: ref(150) }, 120)
  await wrapper.get('button').trigger('click')
  await vi.waitFor(() => expect(saved).toHaveLength(1), { timeout: 15_000 })
  expect((await saved[0]!.text()).split('\r\n')).toHaveLength(1 + 120 + 1)
  await vi.waitFor(() => expect(document.querySelector('[role=dialog]')?.textContent).toContain('first 120 rows'), { timeout: 15_000 })
}, 30_000)

test('it stops when it is told to, and leaves no file', async () => {
  let go = () => {}
  const { wrapper, saved } = draw({
    async *pages(signal) {
      yield [row(1)]
      await new Promise<void>((done) => (go = done))
      if (signal.aborted) throw new Error('aborted')
      yield [row(2)]
    },
    total: ref(undefined),
  })
  await wrapper.get('button').trigger('click')
  await vi.waitFor(() => expect(wrapper.get('[role=status]').text()).toBe('1 row read'), { timeout: 15_000 })
  await wrapper.get('button').trigger('click')
  go()
  await vi.waitFor(() => expect(wrapper.get('button').text()).toBe('CSV'), { timeout: 15_000 })
  expect(saved).toHaveLength(0)
}, 30_000)
