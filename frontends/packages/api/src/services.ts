/** One typed client per service, made from its openapi.yaml. */
import { serviceClient } from './http'
import type { components as analysis, paths as analysisPaths } from './gen/analysis-manager'
import type { components as portal, paths as portalPaths } from './gen/devportal-backend'
import type { components as gateway, paths as gatewayPaths } from './gen/gateway-manager'
import type { components as policy, paths as policyPaths } from './gen/policy-manager'
import type { components as tenant, paths as tenantPaths } from './gen/tenant-manager'

export const analysisManager = serviceClient<analysisPaths>('analysis-manager')
export const devportalBackend = serviceClient<portalPaths>('devportal-backend')
export const gatewayManager = serviceClient<gatewayPaths>('gateway-manager')
export const policyManager = serviceClient<policyPaths>('policy-manager')
export const tenantManager = serviceClient<tenantPaths>('tenant-manager')

export type AnalysisSchemas = analysis['schemas']
export type PortalSchemas = portal['schemas']
export type GatewaySchemas = gateway['schemas']
export type PolicySchemas = policy['schemas']
export type TenantSchemas = tenant['schemas']
