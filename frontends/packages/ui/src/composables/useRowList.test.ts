// @vitest-environment jsdom
import { flushPromises, mount } from '@vue/test-utils'
import { describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { createI18n } from 'vue-i18n'
import { createMemoryHistory, createRouter } from 'vue-router'
import en from '../locales/en'
import GhList from '../components/GhList.vue'
import { preferences } from '../preferences'
import { fieldOf, matches, sorted, textOf, useRowList } from './useRowList'

interface Row {
  id: string
  name: string
  uses?: number
  owner?: { name: string }
}

describe('rows', () => {
  it('are found by every text in them', () => {
    const row = { id: '1', name: 'Deploy key', tags: ['ci', { at: 'Berlin' }], on: true, n: 7, none: null }
    expect(textOf(row)).toBe('1\nDeploy key\nci\nBerlin\n7')
    expect(matches(row, 'BERLIN deploy')).toBe(true)
    expect(matches(row, 'berlin paris')).toBe(false)
  })
  it('have fields of what is in them', () => {
    expect(fieldOf({ owner: { name: 'Ada' } }, 'owner.name')).toBe('Ada')
    expect(fieldOf({ owner: null }, 'owner.name')).toBeUndefined()
    expect(fieldOf({ owner: { name: 'Ada' } }, 'owner')).toBeUndefined()
  })
  it('are sorted as people count, those without a value last both ways', () => {
    const rows: Row[] = [{ id: 'a', name: 'key 10' }, { id: 'b', name: 'Key 9', uses: 3 }, { id: 'c', name: '', uses: 20 }]
    expect(sorted(rows, 'name', false).map((r) => r.id)).toEqual(['b', 'a', 'c'])
    expect(sorted(rows, 'name', true).map((r) => r.id)).toEqual(['a', 'b', 'c'])
    expect(sorted(rows, 'uses', true).map((r) => r.id)).toEqual(['c', 'b', 'a'])
    expect(rows.map((r) => r.id)).toEqual(['a', 'b', 'c'])
  })
})

async function page(rows: Row[] | undefined, address = '/keys', error?: unknown) {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:page', component: { render: () => null } }] })
  await router.push(address)
  const there = ref(rows)
  let own!: ReturnType<typeof useRowList<Row>>
  mount(defineComponent({
    setup() {
      own = useRowList<Row>({ rows: there, error, fields: { name: 'name', owner: 'owner.name' }, prefix: 'k-' })
      return () => h('i')
    },
  }), { global: { plugins: [router] } })
  await flushPromises()
  return { ...own, there, ids: () => own.list.items.value.map((r) => r.id), query: () => router.currentRoute.value.query }
}
const many = Array.from({ length: 120 }, (_, i): Row => ({ id: String(i), name: `key ${i}`, owner: { name: i % 2 ? 'Ada' : 'Bob' } }))

describe('a list of which all rows are there', () => {
  it('is paged, and a page that is gone is the last one', async () => {
    const p = await page(many)
    expect(p.ids().length).toBe(50)
    expect(p.list.total.value).toBe(120)
    await p.list.next()
    await p.list.next()
    expect(p.query()).toEqual({ 'k-after': '100' })
    expect(p.ids()).toEqual(many.slice(100).map((r) => r.id))
    expect(p.list.hasNext.value).toBe(false)
    p.there.value = many.slice(0, 60)
    expect(p.ids()).toEqual(many.slice(50, 60).map((r) => r.id))
    await p.list.previous()
    expect(p.query()).toEqual({})
  })
  it('has its search and its order in the address, apart from other lists', async () => {
    const p = await page(many, '/keys?q=nothing&sort=-name&k-after=50')
    expect(p.ids()[0]).toBe('50')
    await p.list.search('ada 11')
    expect(p.ids()).toEqual(['11', '111', '113', '115', '117', '119'])
    await p.sortBy('-name')
    expect(p.ids()[0]).toBe('119')
    expect(p.query()).toEqual({ 'q': 'nothing', 'sort': '-name', 'k-q': 'ada 11', 'k-sort': '-name' })
    const walked: Row[] = []
    for await (const rows of p.list.pages(new AbortController().signal)) walked.push(...rows)
    expect(walked.map((r) => r.id)).toEqual(p.ids())
    expect((await page(many, '/keys?k-sort=secret')).ids()[0]).toBe('0')
  })
  it('loads until there are rows, and says why there are none', async () => {
    const loading = await page(undefined)
    expect([loading.list.loading.value, loading.list.problem.value]).toEqual([true, null])
    loading.there.value = []
    expect(loading.list.loading.value).toBe(false)
    const failed = await page(undefined, '/keys', new Error('no way'))
    expect(failed.list.loading.value).toBe(false)
    expect(failed.list.problem.value).not.toBeNull()
  })
})

describe('GhList', () => {
  async function draw(props: Record<string, unknown>) {
    preferences.lists = {}
    const router = createRouter({ history: createMemoryHistory(), routes: [{ path: '/:page', component: { render: () => null } }] })
    await router.push('/keys')
    const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: { ui: en } } as never })
    const wrapper = mount(GhList as never, {
      props: { name: 'keys', columns: [{ key: 'name', label: 'Name' }, { key: 'owner', label: 'Owner', by: 'owner.name' }, { key: 'do', label: 'Do', hiddenLabel: true }], label: 'Keys', rowKey: (r: Row) => r.id, rows: many.slice(0, 4), ...props },
      slots: { 'cell-owner': ({ row }: { row: Row }) => row.owner?.name },
      global: { plugins: [i18n, router], stubs: { UButton: true, UIcon: true, UDropdownMenu: true, UModal: true } },
    } as never)
    await flushPromises()
    return { wrapper, router }
  }
  it('is sorted by the heads of its columns: up, down, as it was', async () => {
    const { wrapper, router } = await draw({})
    const head = () => wrapper.findAll('th')[1]!
    expect(wrapper.findAll('th button').map((b) => b.text())).toEqual(['Name', 'Owner'])
    expect(head().attributes('aria-sort')).toBe('none')
    for (const [sort, aria, first] of [['owner', 'ascending', 'key 1'], ['-owner', 'descending', 'key 0'], [undefined, 'none', 'key 0']] as const) {
      await head().find('button').trigger('click')
      await flushPromises()
      expect(router.currentRoute.value.query.sort).toBe(sort)
      expect(head().attributes('aria-sort')).toBe(aria)
      expect(wrapper.find('tbody td').text()).toBe(first)
    }
  })
  it('that is a part of a page is searched where it is long', async () => {
    expect((await draw({ part: true })).wrapper.find('[role=combobox]').exists()).toBe(false)
    expect((await draw({ part: true, rows: many })).wrapper.find('[role=combobox]').exists()).toBe(true)
    expect((await draw({})).wrapper.find('[role=combobox]').exists()).toBe(true)
  })
})
