/** Asks again for what an event of the server says has changed. */
import { useQueryClient } from '@tanstack/vue-query'
import { onBeforeUnmount, onMounted } from 'vue'
import { listen, type LiveEvent } from '@gatehouse/api'

const KEYS: Record<Exclude<LiveEvent, 'trail-grown'>, string[][]> = {
  'fleet-changed': [['groups'], ['gateway'], ['list', 'gateways'], ['deployment'], ['deployments'], ['api'], ['environments']],
  'api-changed': [['api'], ['list', 'apis'], ['deployment'], ['deployments'], ['list', 'deployments'], ['revisions'], ['diff'], ['operations'], ['projects']],
  'policies-changed': [['policies'], ['effective'], ['plans'], ['api'], ['diff']],
  'traffic-arrived': [['usage'], ['list', 'records'], ['first-call']],
  'subscription-changed': [['list', 'subscriptions'], ['list', 'applications'], ['pending']],
}

export function useLive() {
  const queries = useQueryClient()
  let stop: (() => void) | undefined
  let connected = false
  onMounted(() => {
    stop = listen(
      ['deployments', 'traffic', 'gateways', 'apis'],
      (event) => {
        for (const queryKey of event === 'trail-grown' ? [] : KEYS[event]) void queries.invalidateQueries({ queryKey })
      },
      () => {
        // After a gap anything may have changed.
        if (connected) void queries.invalidateQueries()
        connected = true
      },
    )
  })
  onBeforeUnmount(() => stop?.())
}
