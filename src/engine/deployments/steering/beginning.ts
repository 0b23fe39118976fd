import { ofRelease } from '../../../contract/index.ts'
import type { RouterReport, TargetReport } from '../../platforms/index.ts'
import type { DeploymentEvent } from '../events.ts'
import type { ServiceRecord } from '../service-record.ts'
import { rollback, type DeploymentState } from '../state.ts'

type Stable = Pick<ServiceRecord, 'stableReleaseId' | 'instances'>

/** The release that has all traffic although no deployment of ours gave it; null when there is none. */
export function foundStable(router: RouterReport, target: TargetReport): Stable | null {
  const found = Object.entries(router.weights).find(([, weight]) => weight === 100)
  return found ? { stableReleaseId: found[0], instances: ofRelease(target.wanted, found[0]) ?? 1 } : null
}

/**
 * Starts the queued deployment whose turn it is, unless a newer one was requested or nothing is left to do; null while
 * a person holds it.
 */
export function beginning(
  { id, candidateReleaseId, pause }: DeploymentState,
  { stableReleaseId, instances }: Stable,
  newestId: string,
): DeploymentEvent | null {
  if (newestId !== id) return rollback(`${newestId} was requested later`)
  if (stableReleaseId === candidateReleaseId)
    return rollback(`${stableReleaseId} is already the stable release`)
  return pause ? null : { kind: 'begun', stableReleaseId, stableInstances: instances }
}
