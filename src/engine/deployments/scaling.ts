import type { Actor } from '../../contract/index.ts'
import type { Scaling, ServiceRecord } from './service-record.ts'
import type { DeploymentState } from './state.ts'

/** The number of instances that a service's configuration declares, and who declared it. */
export interface ScaleRequest {
  instances: number
  by: Actor
  why: string
}

/**
 * What to store when `request` is declared; null when nothing changes. The first number of a service is not a change
 * either: its releases were deployed with it, or with their own number.
 */
export function scalingAfter(
  { scaling }: Pick<ServiceRecord, 'scaling'>,
  { instances, by, why }: ScaleRequest,
  openIds: readonly string[],
): Scaling | null {
  if (scaling?.instances === instances) return null
  return { instances, pending: scaling && { by, why, openIds } }
}

export type ScaleStep = 'wait' | 'drop' | 'apply'

/**
 * What to do about a pending change now. Deployments come first, and nothing is scaled while automation is stopped.
 */
export function scaleStep(record: ServiceRecord, active: DeploymentState | null): ScaleStep {
  const { scaling, stableReleaseId, instances, automationStopped } = record
  if (!scaling?.pending) return 'wait'
  if (active) return 'wait'
  if (stableReleaseId === null || instances === scaling.instances) return 'drop'
  return automationStopped === null ? 'apply' : 'wait'
}

/**
 * The record once `deployment` can no longer go back by itself. One that was requested after the change has decided on
 * its own number. A retry has the declared number already, or its own, and decides nothing.
 */
export function scalingSettledBy(
  record: ServiceRecord,
  { id, retryOf }: Pick<DeploymentState, 'id' | 'retryOf'>,
): ServiceRecord {
  const { scaling } = record
  if (!scaling?.pending || retryOf !== '' || scaling.pending.openIds.includes(id)) return record
  return { ...record, scaling: { ...scaling, pending: null }, revision: record.revision + 1 }
}

/** The number of instances that the service has, or will have once a pending change is done. */
export const currentInstances = ({ scaling, instances }: ServiceRecord): number =>
  scaling?.pending ? scaling.instances : instances
