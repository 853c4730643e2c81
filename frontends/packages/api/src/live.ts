/** What changes on the server while a page is open (server-sent events). */

import type { components } from './gen/bff'

export type LiveTopic = components['schemas']['Topic']
export type LiveEvent = 'fleet-changed' | 'api-changed' | 'traffic-arrived' | 'policies-changed' | 'subscription-changed' | 'trail-grown'

const EVENTS: LiveEvent[] = ['fleet-changed', 'api-changed', 'traffic-arrived', 'policies-changed', 'subscription-changed', 'trail-grown']

/**
 * Listens until the returned function is called. The browser reconnects by itself;
 * `onConnect` runs each time a connection stands, to fetch what was missed.
 */
export function listen(topics: LiveTopic[], onEvent: (event: LiveEvent, data: unknown) => void, onConnect?: () => void): () => void {
  const source = new EventSource(`/bff/live?topics=${topics.join(',')}`, { withCredentials: true })
  if (onConnect) source.addEventListener('open', onConnect)
  for (const name of EVENTS) {
    source.addEventListener(name, (message) => {
      let data: unknown = null
      try {
        data = JSON.parse((message as MessageEvent<string>).data)
      } catch {
        data = null
      }
      onEvent(name, data)
    })
  }
  return () => source.close()
}
