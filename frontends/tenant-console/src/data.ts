/** Questions to the services that several pages ask, with one cache for each. */
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { data, gatewayManager, may, tenantManager, type TenantSchemas } from '@gatehouse/api'

export type User = TenantSchemas['User']
export type Role = TenantSchemas['Role']
export type Grant = TenantSchemas['Grant']
export type Permission = TenantSchemas['Permission']
export type Invitation = TenantSchemas['Invitation']
export type ServiceAccount = TenantSchemas['ServiceAccount']
export type AuditEntry = TenantSchemas['AuditEntry']
export type Session = TenantSchemas['Session']
export type Group = TenantSchemas['Group']
export type GroupMember = TenantSchemas['GroupMember']
export type AccessRequest = TenantSchemas['AccessRequest']
export type PlatformOrganization = TenantSchemas['PlatformOrganization']
export type PrincipalKind = TenantSchemas['PrincipalKind']

export type Token = TenantSchemas['PersonalToken'] | TenantSchemas['ServiceToken']

/** What a token is made for, as it is chosen. */
export interface TokenUse {
  extent: 'all' | 'read' | 'some'
  permissions: string[]
  project?: string
  environment?: string
}

/** All that the owner may do. */
export const everything = (): TokenUse => ({ extent: 'all', permissions: [] })

/** What a token is made for, as it is sent. */
export function madeFor(use: TokenUse): { permissions?: string[]; project?: string; environment?: string } {
  const permissions = use.extent === 'read' ? ['*:read'] : use.extent === 'some' ? use.permissions : []
  return { ...(permissions.length ? { permissions } : {}), ...(use.project ? { project: use.project } : {}), ...(use.environment ? { environment: use.environment } : {}) }
}

/** Where a grant holds; nothing is everywhere. */
export interface Scope {
  project?: string
  api?: string
  environment?: string
}

const LONG = 60_000

/** Every role: the built-in ones first, then by name. */
export function useRoles() {
  return useQuery({
    queryKey: ['roles'],
    enabled: () => may('role:read'),
    staleTime: LONG,
    queryFn: async ({ signal }) => {
      const all: Role[] = []
      let cursor: string | undefined
      do {
        const page = await data(tenantManager.GET('/roles', { params: { query: { limit: 200, ...(cursor ? { cursor } : {}) } }, signal }))
        all.push(...page.items)
        cursor = page.next
      } while (cursor)
      return all
    },
  })
}

/** Every permission, by what it is about. */
export function usePermissions() {
  return useQuery({
    queryKey: ['permissions'],
    staleTime: Infinity,
    queryFn: ({ signal }) => data(tenantManager.GET('/permissions', { signal })),
    select: (list) => list.items,
  })
}

/** Names of what grants are narrowed to. */
export function usePlaces() {
  const projects = useQuery({
    queryKey: ['projects'],
    enabled: () => may('project:read'),
    staleTime: LONG,
    queryFn: ({ signal }) => data(gatewayManager.GET('/projects', { params: { query: { limit: 200, sort: 'name' } }, signal })),
    select: (list) => list.items,
  })
  const environments = useQuery({
    queryKey: ['environments'],
    enabled: () => may('environment:read'),
    staleTime: LONG,
    queryFn: ({ signal }) => data(gatewayManager.GET('/environments', { params: { query: { limit: 200 } }, signal })),
    select: (list) => [...list.items].sort((a, b) => a.order - b.order),
  })
  const apis = useQuery({
    queryKey: ['apis'],
    enabled: () => may('api:read'),
    staleTime: LONG,
    queryFn: ({ signal }) => data(gatewayManager.GET('/apis', { params: { query: { limit: 200 } }, signal })),
    select: (list) => list.items,
  })
  const name = (list: { id: string; name: string }[] | undefined, id: string | undefined) => (id ? (list?.find((x) => x.id === id)?.name ?? id) : undefined)
  return {
    projects: computed(() => projects.data.value ?? []),
    environments: computed(() => environments.data.value ?? []),
    apis: computed(() => apis.data.value ?? []),
    names: (s: Scope) => ({ project: name(projects.data.value, s.project), api: name(apis.data.value, s.api), environment: name(environments.data.value, s.environment) }),
  }
}

/** Where the page of a user, service account or group is. */
export function pageOf(principal: { kind: PrincipalKind; id: string }): string {
  return `/${{ user: 'users', 'service-account': 'service-accounts', group: 'groups' }[principal.kind]}/${principal.id}`
}

export const ICONS: Record<PrincipalKind, string> = { user: 'i-lucide-user', 'service-account': 'i-lucide-bot', group: 'i-lucide-users-round' }

/** Whether a permission names an environment, such as "deployment:deploy:prd". */
export function isOfEnvironment(permission: string): boolean {
  return permission.split(':').length > 2
}

/** Whether a pattern such as "*:read" covers a permission in every environment. */
export function covers(pattern: string, permission: string): boolean {
  const [kind, verb] = permission.split(':')
  if (kind === 'platform') return pattern === permission || pattern === 'platform:*' // apart from all others
  if (permission === IMPERSONATE) return pattern === '*' || pattern === permission
  return pattern === '*' || pattern === permission || pattern === `${kind}:*` || pattern === `*:${verb}`
}

export interface KindOfPermission {
  kind: string
  verbs: string[]
  titles: Record<string, string>
}

/** Permissions as the rows of a matrix. */
export function byKind(permissions: readonly Permission[]): KindOfPermission[] {
  const out: KindOfPermission[] = []
  for (const p of permissions) {
    let row = out.find((r) => r.kind === p.kind)
    if (!row) out.push((row = { kind: p.kind, verbs: [], titles: {} }))
    row.verbs.push(p.verb)
    row.titles[p.verb] = p.title
  }
  return out
}

export const VERBS = ['read', 'create', 'update', 'delete', 'deploy', 'approve', 'impersonate']

/** Only its name and "*" mean it; "user:*" does not. */
const IMPERSONATE = 'user:impersonate'

/** The shortest list of patterns for what is chosen: "*", "api:*", "api:read". */
export function shorten(chosen: ReadonlySet<string>, permissions: readonly Permission[]): string[] {
  const own = permissions.filter((p) => p.kind !== 'platform')
  if (own.length > 0 && own.every((p) => chosen.has(p.name)) && own.length === chosen.size) return ['*']
  return byKind(permissions).flatMap((row) => {
    const held = row.verbs.filter((v) => chosen.has(`${row.kind}:${v}`))
    if (row.kind === 'user' && row.verbs.includes('impersonate')) {
      const rest = row.verbs.filter((v) => v !== 'impersonate')
      const own = held.includes('impersonate') ? [IMPERSONATE] : []
      return rest.every((v) => held.includes(v)) ? ['user:*', ...own] : held.map((v) => `user:${v}`)
    }
    return row.verbs.length > 1 && held.length === row.verbs.length ? [`${row.kind}:*`] : held.map((v) => `${row.kind}:${v}`)
  })
}

/** What people do, and the kinds of things that belong to it, in the order of a day's work. */
export const TASKS = {
  people: ['organization', 'user', 'group', 'role', 'service-account', 'invitation', 'audit'],
  signIn: ['sso-connection', 'scim', 'oauth-client', 'oauth-scope', 'oauth-key'],
  build: ['project', 'api', 'plan', 'policy'],
  operate: ['deployment', 'environment', 'gateway-group', 'gateway', 'traffic'],
  consume: ['application', 'subscription', 'credential', 'portal'],
  platform: ['platform'],
} as const

/** Rows of a matrix by the task that they belong to; what belongs to none comes last. */
export function byTask<T extends { kind: string }>(rows: readonly T[]): { task: keyof typeof TASKS | 'other'; rows: T[] }[] {
  const known = Object.entries(TASKS).map(([task, kinds]) => ({ task: task as keyof typeof TASKS, rows: rows.filter((r) => (kinds as readonly string[]).includes(r.kind)) }))
  const rest = rows.filter((r) => !known.some((k) => k.rows.includes(r)))
  return [...known, { task: 'other' as const, rows: rest }].filter((k) => k.rows.length > 0)
}

/** Whether a role has a text in its names, its description or its permissions. */
export function matchesRole(role: Pick<Role, 'name' | 'title' | 'description' | 'permissions'>, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const all = [role.name, role.title, role.description ?? '', ...role.permissions].join(' ').toLowerCase()
  return words.every((w) => all.includes(w) || (w.includes(':') && role.permissions.some((p) => covers(p, w))))
}
