/** Which tone a state has, the same on every page. */
import type { GatewaySchemas, PolicySchemas, PortalSchemas } from '@gatehouse/api'
import type { Tone } from '@gatehouse/ui'

export function deploymentTone(state: GatewaySchemas['DeploymentState']): Tone {
  return ({ publishing: 'pend', applying: 'pend', live: 'live', failed: 'bad', superseded: 'neutral' } as const)[state]
}

export function gatewayTone(state: GatewaySchemas['GatewayState']): Tone {
  return ({ healthy: 'live', stale: 'warn', lost: 'bad', offline: 'neutral' } as const)[state]
}

export function planTone(status: PolicySchemas['PlanStatus']): Tone {
  return ({ draft: 'pend', published: 'live', deprecated: 'warn', closed: 'neutral' } as const)[status]
}

export function subscriptionTone(status: PortalSchemas['SubscriptionStatus']): Tone {
  return ({ pending: 'warn', active: 'live', paused: 'neutral', rejected: 'bad', closed: 'neutral' } as const)[status]
}

export function credentialTone(status: PortalSchemas['CredentialStatus']): Tone {
  return ({ active: 'live', expiring: 'warn', expired: 'neutral', revoked: 'bad' } as const)[status]
}

/** The tone of what happened in one step of a request. */
export function outcomeTone(outcome: string): Tone {
  return outcome === 'ok' ? 'live' : outcome === 'skipped' ? 'neutral' : 'bad'
}
