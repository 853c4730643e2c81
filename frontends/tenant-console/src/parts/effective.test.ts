import { expect, it } from 'vitest'
import type { TenantSchemas } from '@gatehouse/api'
import { together } from './effective'

type Item = TenantSchemas['EffectivePermission']
const by = (grant: string, code: Item['because'][number]['code'] = 'granted', via?: string): Item['because'][number] => ({ code, detail: `about ${Math.random()}`, grant, role: 'r', ...(via ? { via: [{ id: via, name: via }] } : {}) })

it('puts together what differs in the verb alone', () => {
  const rows = together([
    { permission: 'api:read', allowed: true, because: [by('1')] },
    { permission: 'api:read', project: 'p', allowed: true, because: [by('1'), by('2')] },
    { permission: 'api:update', allowed: true, because: [by('1')] },
    { permission: 'api:delete', allowed: false, because: [by('3', 'denied'), by('1')] },
    { permission: 'plan:read', allowed: true, because: [by('1')] },
    { permission: 'plan:update', allowed: true, because: [by('1', 'granted', 'g')] },
    { permission: 'deployment:deploy:prd', allowed: true, because: [by('1')], more: 2 },
  ])
  expect(rows.map((r) => [r.kind, r.permissions, r.scope, r.allowed, r.more])).toEqual([
    ['api', ['api:read', 'api:update'], {}, true, 0],
    ['api', ['api:read'], { project: 'p' }, true, 0],
    ['api', ['api:delete'], {}, false, 0],
    ['plan', ['plan:read'], {}, true, 0],
    ['plan', ['plan:update'], {}, true, 0],
    ['deployment', ['deployment:deploy:prd'], {}, true, 2],
  ])
  expect(new Set(rows.map((r) => r.key)).size).toBe(rows.length)
})
