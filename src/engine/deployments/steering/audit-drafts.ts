import { engineActor, weightText } from '../../../contract/index.ts'
import type { AuditDraft } from '../../audit/index.ts'
import type { DeploymentEvent } from '../events.ts'
import type { DeploymentState } from '../state.ts'

/** An action on a service, for the audit log. */
export type Action = Pick<AuditDraft, 'actor' | 'action' | 'why' | 'details'>

/** What the engine does on its own with an event, in the words of the audit log; null when it does nothing. */
export function actionOf(state: DeploymentState, event: DeploymentEvent): Action | null {
  const { id: deploymentId, candidateReleaseId: releaseId } = state
  const action = (name: string, why: string): Action => ({
    actor: engineActor,
    action: `deployments.${name}`,
    why,
    details: { deploymentId, releaseId },
  })
  switch (event.kind) {
    case 'rollbackStarted':
      // A candidate without traffic is not rolled back.
      return action(state.hasHadTraffic ? 'rollback' : 'fail', event.reason)
    case 'paused':
      return action('pause', event.reason)
    case 'weightReached':
      return action('shift', `${releaseId} gets ${weightText(event.weight)} of traffic`)
    case 'handedOver':
      return action('handOver', `${releaseId} has all traffic`)
    default:
      return null
  }
}
