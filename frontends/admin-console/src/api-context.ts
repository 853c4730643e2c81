/** The API whose pages are open, for the tabs of its entity page. */
import { inject, provide, type ComputedRef, type InjectionKey } from 'vue'
import type { Api } from './data'

const KEY: InjectionKey<ComputedRef<Api>> = Symbol('api')

export function provideApi(api: ComputedRef<Api>) {
  provide(KEY, api)
}

export function useCurrentApi(): ComputedRef<Api> {
  const api = inject(KEY)
  if (!api) throw new Error('useCurrentApi outside of an API')
  return api
}
