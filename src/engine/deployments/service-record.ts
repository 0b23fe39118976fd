import type { Actor } from '../../contract/index.ts'
import type { Result } from '../../base/index.ts'

/** The stored record of a service's declared number of instances. */
export interface Scaling {
  /** The number declared last. A restarted engine compares it with the current declaration. */
  instances: number
  /** A change to apply to the stable release, after the deployments that were open; null for none. */
  pending: { by: Actor; why: string; openIds: readonly string[] } | null
}

/** The stored record of a service, apart from its configuration. */
export interface ServiceRecord {
  name: string
  stableReleaseId: string | null
  /** Number of instances of the stable release. */
  instances: number
  automationStopped: { by: Actor; atMs: number; reason: string } | null
  /** Null until a number of instances is declared. */
  scaling: Scaling | null
  /**
   * Key of the emergency that an order to resume has ended; null for none. The router holds it until it is told, so one
   * with this key is not a new one.
   */
  endedEmergencyKey: string | null
  /** Grows with each stored change. */
  revision: number
}

/**
 * Refused with CONFLICT when the service is stored at this revision or a later one, which means that someone else
 * writes.
 */
export interface ServiceChange {
  kind: 'putService'
  service: ServiceRecord
}

/** Port: stored service records. Fails as `UnitOfWork` does. */
export interface ServiceStore {
  /** Null for a service that was never stored. */
  find(name: string): Promise<Result<ServiceRecord | null>>
}

/** The record of a service that has none yet. */
export const newServiceRecord = (name: string): ServiceRecord => ({
  name,
  stableReleaseId: null,
  instances: 1,
  automationStopped: null,
  scaling: null,
  endedEmergencyKey: null,
  revision: 0,
})
