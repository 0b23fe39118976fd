import type { ServiceState, Weights } from './services.ts'

/**
 * What a map by release holds of one. A release may be called `constructor`, which every plain object seems to hold:
 * maps by release are read through this alone.
 */
export const ofRelease = <T>(map: Readonly<Record<string, T>>, releaseId: string): T | undefined =>
  Object.hasOwn(map, releaseId) ? map[releaseId] : undefined

/** A release's share of the traffic, 0 to 100; 0 where it is left out. */
export const weightOf = (weights: Weights, releaseId: string): number => ofRelease(weights, releaseId) ?? 0

type Roles = Pick<ServiceState, 'stableReleaseId' | 'candidateReleaseId'>

/** What a release is to a service; undefined when it is neither. */
export function releaseRole(service: Roles, releaseId: string): 'stable' | 'candidate' | undefined {
  if (releaseId === service.stableReleaseId) return 'stable'
  return releaseId === service.candidateReleaseId ? 'candidate' : undefined
}

const rank = { stable: 0, candidate: 1 }

/**
 * Releases in the order in which they are shown: stable first, then the candidate, then the others by name. The order of
 * an object's keys is no order: JavaScript puts names such as `10` first.
 */
export function releaseOrder(service: Roles): (a: string, b: string) => number {
  const rankOf = (releaseId: string) => {
    const role = releaseRole(service, releaseId)
    return role ? rank[role] : 2
  }
  return (a, b) => rankOf(a) - rankOf(b) || a.localeCompare(b, 'en', { numeric: true })
}

/** One release's share of the traffic of a service. */
export interface TrafficShare {
  releaseId: string
  /** 0 to 100. */
  percent: number
  role: 'stable' | 'candidate' | undefined
}

/** The releases that have traffic by what the router says, in their order. */
export function trafficShares(service: Roles & Pick<ServiceState, 'weights'>): TrafficShare[] {
  return Object.entries(service.weights)
    .filter(([, percent]) => percent > 0)
    .sort(([a], [b]) => releaseOrder(service)(a, b))
    .map(([releaseId, percent]) => ({ releaseId, percent, role: releaseRole(service, releaseId) }))
}
