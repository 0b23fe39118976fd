import {
  isEngine,
  type CallClient,
  type Deployment,
  type DeploymentCommand,
  type LogEntry,
  type ServiceState,
} from '../../../contract/index.ts'
import { clockTime } from '../../format/index.ts'
import { failureOf, failureText, isOutcomeUnknown, type CallFailure } from '../../state/failure.ts'

/** What an order on a service depends on. */
export type SeenService = Pick<ServiceState, 'revision' | 'automationStopped'>

/** Gives the command on the deployment, or on its service, as the person saw it. Rejects as calls do. */
export async function giveCommand(
  calls: Pick<CallClient, 'deployments'>,
  command: DeploymentCommand,
  seen: Deployment,
  why: string,
  seenService: SeenService | undefined,
): Promise<Deployment> {
  const { id, service, revision: expectedRevision, stableReleaseId } = seen
  const serviceRevision = seenService?.revision ?? null
  switch (command) {
    case 'retry':
      return calls.deployments.retry({ id, expectedRevision: serviceRevision, why })
    case 'undo':
      return calls.deployments.undo({
        service,
        ...(stableReleaseId === null ? {} : { releaseId: stableReleaseId }),
        expectedRevision: serviceRevision,
        ...(seenService?.automationStopped ? { resumesAutomation: true } : {}),
        why,
      })
    case 'pause':
    case 'resume':
    case 'skip':
    case 'promote':
    case 'abort':
      return calls.deployments[command]({ id, expectedRevision, why })
  }
}

/** Why a command was refused, for a person; of a conflict, who did what first. */
export function refusalText(error: unknown, seen: Deployment, now: Deployment | undefined): string {
  const failure: CallFailure = failureOf(error)
  if (isOutcomeUnknown(failure))
    return 'No response: it is unknown whether this was done. Check the deployment when the engine responds, then decide again.'
  if (failure.code !== 'CONFLICT') return failureText(failure)
  const first = now && whatHappenedSince(seen, now)
  return first
    ? `Not done: ${first.actor.name} acted first, at ${clockTime(first.atMs)}: ${first.text}. ${failure.action}`
    : `Not done. ${failureText(failure)}`
}

/** The newest entry of the log that the person had not seen: what another one did, before what the engine did or found. */
function whatHappenedSince(seen: Deployment, now: Deployment): LogEntry | undefined {
  const known = new Set(seen.log.map(({ atMs, text }) => `${atMs} ${text}`))
  const fresh = now.log
    .filter(({ atMs, text }) => !known.has(`${atMs} ${text}`))
    .toSorted((a, b) => b.atMs - a.atMs)
  return fresh.find(({ actor }) => !isEngine(actor)) ?? fresh[0]
}
