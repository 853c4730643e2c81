/** Where one is: the project of the address, and the environment that is looked at. */
import { computed, inject, provide, type ComputedRef, type InjectionKey } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { useEnvironments, useProjects, type Environment, type Project } from './data'

export interface Place {
  project: ComputedRef<Project | undefined>
  projects: ComputedRef<Project[]>
  environments: ComputedRef<Environment[]>
  /** The environment in the address; none = all. */
  environment: ComputedRef<Environment | undefined>
  setEnvironment: (slug: string) => void
  /** A path of this project: at('apis', 'orders'). */
  at: (...steps: (string | number)[]) => { path: string; query: Record<string, string> }
  loading: ComputedRef<boolean>
  error: ComputedRef<unknown>
}

const KEY: InjectionKey<Place> = Symbol('place')

export function providePlace(): Place {
  const route = useRoute()
  const router = useRouter()
  const projects = useProjects()
  const environments = useEnvironments()
  const slug = computed(() => String(route.params.project ?? ''))
  const env = computed(() => (typeof route.query.env === 'string' ? route.query.env : ''))
  const place: Place = {
    project: computed(() => projects.data.value?.find((p) => p.slug === slug.value)),
    projects: computed(() => projects.data.value ?? []),
    environments: computed(() => environments.data.value ?? []),
    environment: computed(() => environments.data.value?.find((e) => e.slug === env.value)),
    setEnvironment: (to) => {
      const query = { ...route.query }
      if (to) query.env = to
      else delete query.env
      void router.replace({ query })
    },
    at: (...steps) => ({
      path: '/' + [slug.value, ...steps].map((s) => encodeURIComponent(String(s))).join('/'),
      query: (env.value ? { env: env.value } : {}) as Record<string, string>,
    }),
    loading: computed(() => projects.isPending.value || environments.isPending.value),
    error: computed(() => projects.error.value ?? environments.error.value),
  }
  provide(KEY, place)
  return place
}

export function usePlace(): Place {
  const place = inject(KEY)
  if (!place) throw new Error('usePlace outside of a project')
  return place
}
