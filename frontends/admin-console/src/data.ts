/** Questions to the services that several pages ask, with one cache for each. */
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  analysisManager,
  data,
  gatewayManager,
  policyManager,
  ProblemError,
  toProblem,
  type AnalysisSchemas,
  type GatewaySchemas,
  type PolicySchemas,
} from '@gatehouse/api'
import type { Schema } from '@gatehouse/schema-form'

export type Api = GatewaySchemas['Api']
export type Deployment = GatewaySchemas['Deployment']
export type Environment = GatewaySchemas['Environment']
export type Project = GatewaySchemas['Project']
export type Revision = GatewaySchemas['Revision']
export type Plan = PolicySchemas['Plan']
export type Policy = PolicySchemas['Policy']
export type PolicyInput = PolicySchemas['PolicyInput']
export type PolicyTypeSummary = PolicySchemas['PolicyTypeSummary']
export type UsageReport = AnalysisSchemas['UsageReport']

const LONG = 60_000

export function useProjects() {
  return useQuery({
    queryKey: ['projects'],
    queryFn: ({ signal }) => data(gatewayManager.GET('/projects', { params: { query: { limit: 200, sort: 'name' } }, signal })),
    staleTime: LONG,
    select: (list) => list.items,
  })
}

export function useEnvironments() {
  return useQuery({
    queryKey: ['environments'],
    queryFn: ({ signal }) => data(gatewayManager.GET('/environments', { params: { query: { limit: 200 } }, signal })),
    staleTime: LONG,
    select: (list) => [...list.items].sort((a, b) => a.order - b.order),
  })
}

export function useGroups() {
  return useQuery({
    queryKey: ['groups'],
    queryFn: ({ signal }) => data(gatewayManager.GET('/gateway-groups', { params: { query: { limit: 200 } }, signal })),
    select: (list) => list.items,
  })
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-/

/** An API by the slug in the address, or by id. */
export function useApi(project: MaybeRefOrGetter<string | undefined>, slug: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  return useQuery({
    queryKey: computed(() => ['api', toValue(project), toValue(slug)]),
    enabled: () => Boolean(toValue(project) && toValue(slug)),
    queryFn: async ({ signal }): Promise<Api> => {
      const at = toValue(slug)
      let id = ID.test(at) ? at : queries.getQueryData<string>(['api-id', toValue(project), at])
      if (!id) {
        const found = await data(gatewayManager.GET('/apis', { params: { query: { project: toValue(project)!, q: at, limit: 200 } }, signal }))
        id = found.items.find((a) => a.slug === at)?.id
        if (!id) throw new ProblemError(toProblem({ title: 'Not found', code: 'not-found', detail: `There is no API ${at} in this project.` }, 404))
        queries.setQueryData(['api-id', toValue(project), at], id)
      }
      return data(gatewayManager.GET('/apis/{id}', { params: { path: { id } }, signal }))
    },
  })
}

export function useOperations(api: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['operations', toValue(api)]),
    queryFn: ({ signal }) => data(gatewayManager.GET('/apis/{id}/operations', { params: { path: { id: toValue(api) } }, signal })),
    select: (list) => list.items,
  })
}

export function usePlans(api: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['plans', toValue(api)]),
    queryFn: ({ signal }) => data(policyManager.GET('/apis/{api}/plans', { params: { path: { api: toValue(api) } }, signal })),
    select: (list) => list.items,
  })
}

/** What is different between the draft and the latest revision. */
export function useDraftDiff(api: MaybeRefOrGetter<Api>) {
  return useQuery({
    queryKey: computed(() => ['diff', toValue(api).id, 'latest', 'draft']),
    enabled: () => toValue(api).latestRevision > 0 && toValue(api).draft.changed,
    queryFn: ({ signal }) => data(gatewayManager.GET('/apis/{id}/diff', { params: { path: { id: toValue(api).id }, query: {} }, signal })),
  })
}

export function usePolicyTypes() {
  return useQuery({
    queryKey: ['policy-types'],
    queryFn: ({ signal }) => data(policyManager.GET('/policy-types', { signal })),
    staleTime: Infinity,
    select: (list) => list.items,
  })
}

export function usePolicyType(type: MaybeRefOrGetter<string | undefined>) {
  return useQuery({
    queryKey: computed(() => ['policy-type', toValue(type)]),
    enabled: () => Boolean(toValue(type)),
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const found = await data(policyManager.GET('/policy-types/{type}', { params: { path: { type: toValue(type)! } }, signal }))
      return { ...found, schema: found.schema as Schema }
    },
  })
}

export interface UsageQuestion {
  from: string
  to?: string
  interval?: string
  project?: string
  environment?: string
  api?: string
  application?: string
  top?: AnalysisSchemas['Dimension'][]
  limit?: number
}

export function useUsage(question: MaybeRefOrGetter<UsageQuestion>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery({
    queryKey: computed(() => ['usage', toValue(question)]),
    enabled: () => toValue(enabled),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
    queryFn: ({ signal }) => {
      const { project, environment, api, application, ...rest } = toValue(question)
      const one = (id?: string) => (id ? [id] : undefined)
      return data(
        analysisManager.GET('/usage', {
          params: { query: { ...rest, from: fromOf(rest.from), project: one(project), environment: one(environment), api: one(api), application: one(application) } },
          signal,
        }),
      )
    },
  })
}

/** Beginnings are kept relative ("1h"), so that a page that stays open moves on. */
export function fromOf(from: string): string {
  const match = /^(\d+)([mhd])$/.exec(from)
  if (!match) return from
  const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'm' | 'h' | 'd']
  return new Date(Date.now() - Number(match[1]) * unit).toISOString()
}

/** A list of policies as it is sent: what the server made up is left out. */
export function toInputs(policies: readonly Policy[]): PolicyInput[] {
  return policies.map((p) => ({
    ...(p.id ? { id: p.id } : {}),
    ...(p.set ? { set: p.set } : { type: p.type, config: p.config ?? {} }),
    ...(p.name && p.type ? { name: p.name } : {}),
    ...(p.when ? { when: p.when } : {}),
    enabled: p.enabled,
  })) as PolicyInput[]
}

/** A change's sentence; where a policy is named like its type the name is said once. */
export function sentenceOf(change: GatewaySchemas['Change']): string {
  return change.summary.replace(/\b([\w-]+) \(\1\)/g, '$1')
}

export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '')
}
