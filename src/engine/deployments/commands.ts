import { AppError, assertNever, fail, ok, type Result } from '../../base/index.ts'
import { type Actor, isOutdated, type DeploymentCommand } from '../../contract/index.ts'
import type { DeploymentEvent } from './events.ts'
import type { ServiceRecord } from './service-record.ts'
import { hasEnded, isGoingBack, isRetiring, type DeploymentState } from './state.ts'

/** A command of a person to a running deployment. */
export interface Command {
  kind: Exclude<DeploymentCommand, 'retry' | 'undo'>
  by: Actor
  why: string
  /** Revision of the deployment that the person saw; null to act regardless of changes since. */
  expectedRevision: number | null
}

/** The events that a command causes, or CONFLICT with the reason why it is no longer possible. */
export function obey(state: DeploymentState, command: Command): Result<DeploymentEvent> {
  const { kind, by, why, expectedRevision } = command
  const { id, candidateReleaseId: name, stage } = state
  const refuse = (text: string) =>
    fail(new AppError('CONFLICT', text, { details: { deploymentId: id, revision: state.revision } }))
  if (hasEnded(state)) return refuse(`${id} has ended: ${name} was ${ending[stage.kind] ?? stage.kind}`)
  if (expectedRevision !== null && isOutdated(kind, expectedRevision, state))
    return refuse(`${id} has changed since: it is at revision ${state.revision}, not ${expectedRevision}`)
  if (isGoingBack(state)) return refuse(`${name} is already being rolled back`)
  switch (kind) {
    case 'pause':
      if (stage.kind === 'retiring') return refuse(`${name} is promoted: it can no longer be paused`)
      if (state.pause) return refuse(`${id} is already paused: ${state.pause.reason}`)
      return ok({ kind: 'paused', by, cause: 'person', reason: why || `${by.name} paused it` })
    case 'resume':
      return state.pause ? ok({ kind: 'resumed', by, why }) : refuse(`${id} is not paused`)
    case 'skip':
      return stage.kind === 'holding' || stage.kind === 'shifting'
        ? ok({ kind: 'stepSkipped', by, why })
        : refuse(`${id} is not at a step that can be skipped`)
    case 'promote':
      if (state.isHandedOver) return refuse(`${name} already has all traffic`)
      return ok({ kind: 'promotionDemanded', by, why })
    case 'abort':
      if (stage.kind === 'retiring')
        return refuse(
          `${name} is promoted and ${state.stableReleaseId} has stopped: undo the promotion instead`,
        )
      return ok({ kind: 'rollbackStarted', by, reason: why || `${by.name} aborted it`, isEmergency: false })
    default:
      return assertNever(kind)
  }
}

const ending: Partial<Record<DeploymentState['stage']['kind'], string>> = {
  promoted: 'promoted',
  rolled_back: 'rolled back',
  failed: 'stopped before it got traffic',
}

/** What the person who asks for a deployment saw of the service. */
export interface Seen {
  /** Revision of the service record; null to act regardless of changes since. */
  expectedRevision: number | null
  /**
   * The deployment in progress to roll back first; null for none, in which case a deployment in progress refuses the
   * new one.
   */
  supersedes: string | null
  /** Whether the person knows that automation is stopped, and resumes it with this order. */
  resumesAutomation?: boolean
}

/** Why a release cannot be deployed now, as a sentence; null when it can. */
export function whyNot(
  record: ServiceRecord,
  open: readonly DeploymentState[],
  candidateReleaseId: string,
  { expectedRevision, supersedes, resumesAutomation = false }: Seen,
): string | null {
  const { name, automationStopped, revision, stableReleaseId } = record
  if (automationStopped && !resumesAutomation)
    return `Automation of ${name} was stopped by ${automationStopped.by.name} (${automationStopped.reason}). Resume it first: ${resumeCommand(name)}`
  if (expectedRevision !== null && expectedRevision !== revision)
    return changedSince(record, expectedRevision).message
  const isUnderWay = open.some(
    (state) => state.candidateReleaseId === candidateReleaseId && !isGoingBack(state),
  )
  if (isUnderWay) return `${candidateReleaseId} is already being deployed`
  const other = open.find((state) => isInTheWay(state) && state.id !== supersedes)
  if (other)
    return `${other.createdBy.name} is deploying ${other.candidateReleaseId} (${other.id}): abort it first, or let ${candidateReleaseId} supersede it`
  return stableReleaseId === candidateReleaseId ? `${candidateReleaseId} is already the stable release` : null
}

/** The change that lets the engine steer a service again after an emergency. */
export const resumeCommand = (name: string): string => `pilothouse resume ${name}`

/** CONFLICT for a service that changed since it was seen. */
export const changedSince = ({ name, revision }: ServiceRecord, expectedRevision: number): AppError =>
  new AppError(
    'CONFLICT',
    `${name} has changed since: it is at revision ${revision}, not ${expectedRevision}`,
    { details: { revision } },
  )

/** Whether a new deployment would roll this one back; a promoted one only loses its warm predecessor. */
const isInTheWay = (state: DeploymentState): boolean =>
  !isGoingBack(state) && !isRetiring(state) && state.stage.kind !== 'warm'

/** How an open deployment makes room for a new release; null when it is already ending. */
export function giveWay(state: DeploymentState, toReleaseId: string, by: Actor): DeploymentEvent | null {
  if (isGoingBack(state) || isRetiring(state)) return null
  if (state.stage.kind === 'warm') return { kind: 'warmthEnded', by, forReleaseId: toReleaseId }
  return { kind: 'rollbackStarted', by, reason: `${toReleaseId} supersedes it`, isEmergency: false }
}
