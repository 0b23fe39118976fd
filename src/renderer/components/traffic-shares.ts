import type { ServiceState } from '../../contract/index.ts'

/** One release's share of the traffic of a service. */
export interface TrafficShare {
  releaseId: string
  /** 0 to 100. */
  percent: number
  role: 'stable' | 'candidate' | undefined
}

/** The releases that have traffic by what the router says: stable first, then the candidate, then what should not be there. */
export function trafficShares(
  service: Pick<ServiceState, 'weights' | 'stableReleaseId' | 'candidateReleaseId'>,
): TrafficShare[] {
  const rank = { stable: 0, candidate: 1 }
  return Object.entries(service.weights)
    .filter(([, percent]) => percent > 0)
    .map(([releaseId, percent]) => ({ releaseId, percent, role: releaseRole(service, releaseId) }))
    .sort((a, b) => (a.role ? rank[a.role] : 2) - (b.role ? rank[b.role] : 2))
}

/** What a release is to a service; undefined when it is neither. */
export function releaseRole(
  service: Pick<ServiceState, 'stableReleaseId' | 'candidateReleaseId'>,
  releaseId: string,
): 'stable' | 'candidate' | undefined {
  if (releaseId === service.stableReleaseId) return 'stable'
  return releaseId === service.candidateReleaseId ? 'candidate' : undefined
}
