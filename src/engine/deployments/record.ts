import type { DeploymentEvent } from './events.ts'
import type { ServiceRecord } from './service-record.ts'
import { scalingSettledBy } from './scaling.ts'
import type { DeploymentState } from './state.ts'

/**
 * The service record after an event of its deployment. The stable release changes with the event that says so, in the
 * same transaction. `before` is the deployment without the event.
 */
export function recordAfter(
  record: ServiceRecord,
  before: DeploymentState | null,
  event: DeploymentEvent,
): ServiceRecord {
  if (!before) return record
  if (event.kind === 'handedOver')
    return {
      ...record,
      stableReleaseId: before.candidateReleaseId,
      instances: before.plan.instances,
      revision: record.revision + 1,
    }
  if (event.kind === 'rollbackStarted' && before.isHandedOver)
    return {
      ...record,
      stableReleaseId: before.stableReleaseId,
      instances: before.stableInstances,
      revision: record.revision + 1,
    }
  return event.kind === 'warmthEnded' ? scalingSettledBy(record, before) : record
}
