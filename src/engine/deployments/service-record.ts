import type { Result } from '../../base/index.ts'

/** What is on record of a service's declared number of instances. */
export interface Scaling {
  /** As declared last. A restarted engine compares it with what is declared now. */
  instances: number
  /** A change that the stable release has yet to follow, after the deployments that were open; null for none. */
  pending: { by: string; why: string; openIds: readonly string[] } | null
}

/** What the store holds of a service beside its configuration. */
export interface ServiceRecord {
  name: string
  stableReleaseId: string | null
  /** Copies of the stable release. */
  instances: number
  automationStopped: { by: string; atMs: number; reason: string } | null
  /** Null before a number of instances was declared. */
  scaling: Scaling | null
  /** Grows with each stored change. */
  revision: number
}

/** Refused with CONFLICT when the service is stored at this revision or a later one: somebody else writes. */
export interface ServiceChange {
  kind: 'putService'
  service: ServiceRecord
}

/** Port: what is on record of services. Fails as `UnitOfWork` does. */
export interface ServiceStore {
  /** Null for one that was never stored. */
  find(name: string): Promise<Result<ServiceRecord | null>>
}

/** A service that nothing is on record of. */
export const newServiceRecord = (name: string): ServiceRecord => ({
  name,
  stableReleaseId: null,
  instances: 1,
  automationStopped: null,
  scaling: null,
  revision: 0,
})
