import { assertNever } from '../../base/index.ts'
import { took, weightText, type Deployment, type DeploymentPhase } from '../../contract/index.ts'
import { hasEnded, plannedWeight, stepIndexOf, type DeploymentState, type Pause } from './state.ts'
import { desiredWeight } from './desired-state.ts'
import { instances } from './wording.ts'

/** What a queued deployment waits for. */
export interface QueuePlace {
  /** Candidate of the deployment of the same service that must end first; null when there is none. */
  behind: string | null
  /** Release that must stop first because the deployment ahead is promoted; null when there is none. */
  stopping?: string | null
  /** An emergency rollback has stopped automation. */
  isStopped: boolean
  /** Whether the most deployments allowed are already moving. */
  isCrowded: boolean
}

/** The place of `state` among the `open` deployments of its service, oldest first. */
export function queuePlace(
  state: Pick<DeploymentState, 'id'>,
  open: readonly DeploymentState[],
  rest: Pick<QueuePlace, 'isStopped' | 'isCrowded'>,
): QueuePlace {
  const index = open.findIndex(({ id }) => id === state.id)
  const before = open.slice(0, Math.max(0, index)).find((each) => !hasEnded(each))
  const isPromoted = before?.stage.kind === 'warm' || before?.stage.kind === 'retiring'
  const stopping = isPromoted ? before.stableReleaseId : null
  return { behind: before?.candidateReleaseId ?? null, stopping, ...rest }
}

/** A deployment as sent to screens, and as lists keep it; `place` is set for a queued one. */
export function deploymentView(state: DeploymentState, place?: QueuePlace): Deployment {
  const { stage } = state
  const isStep = stage.kind === 'shifting' || stage.kind === 'holding'
  return {
    id: state.id,
    service: state.service,
    stableReleaseId: state.stableReleaseId,
    candidateReleaseId: state.candidateReleaseId,
    phase: phaseOf(state),
    pauseCause: state.pause?.cause ?? null,
    reason: reasonOf(state, place),
    plan: state.plan,
    stepIndex: stepIndexOf(state),
    stepStartedAtMs: isStep ? state.stageStartedAtMs : null,
    skippedSteps: [...state.skippedSteps],
    reached: state.reached,
    weight: desiredWeight(state),
    isHandedOver: state.isHandedOver && state.rollback === null,
    keptWarmUntilMs: keptWarmUntilMs(state),
    validation: state.validation,
    judgement: state.judgement,
    failure: state.failure,
    log: [...state.log],
    createdBy: state.createdBy,
    why: state.why,
    createdAtMs: state.createdAtMs,
    endedAtMs: state.endedAtMs,
    revision: state.revision,
    personRevision: state.personRevision,
  }
}

function keptWarmUntilMs({ stage, stageStartedAtMs, stableReleaseId, plan }: DeploymentState): number | null {
  const isWarm = stage.kind === 'warm' && stableReleaseId !== null && plan.keepStableWarmMs > 0
  return isWarm ? stageStartedAtMs + plan.keepStableWarmMs : null
}

function phaseOf({ stage, pause }: DeploymentState): DeploymentPhase {
  if (pause) return 'paused'
  switch (stage.kind) {
    case 'queued':
    case 'validating':
      return 'validating'
    case 'staging':
      return 'staging'
    case 'shifting':
    case 'holding':
      return 'stepping'
    case 'raising':
    case 'handing_over':
    case 'warm':
    case 'retiring':
      return 'promoting'
    case 'returning':
    case 'stopping':
    case 'telling':
      return 'rolling_back'
    case 'promoted':
    case 'rolled_back':
    case 'failed':
      return stage.kind
    default:
      return assertNever(stage)
  }
}

function queuedReason(name: string, place?: QueuePlace): string {
  if (place?.isStopped) return `${name} waits until automation is resumed`
  if (place?.stopping) return `${name} waits until ${place.stopping} has stopped`
  if (place?.behind) return `${name} is queued behind the deployment of ${place.behind}`
  if (place?.isCrowded) return `${name} is queued until deployments of other services end`
  return `${name} is about to start`
}

/**
 * The judge continues while a deployment is paused as inconclusive: its newest words count, not those at the pause.
 */
function pauseReason(
  { judgement, judgedHold, holdCount }: DeploymentState,
  { cause, reason }: Pause,
): string {
  if (cause !== 'inconclusive' || !judgement || judgedHold !== holdCount) return reason
  return judgement.decision === 'promote' ? `${judgement.text}: resume to continue` : judgement.text
}

/** Why the deployment is where it is, as a sentence. */
export function reasonOf(state: DeploymentState, place?: QueuePlace): string {
  const { stage, pause, missingRoom, rollback, plan, candidateReleaseId: name } = state
  const stable = state.stableReleaseId
  if (pause) return pauseReason(state, pause)
  if (missingRoom !== '') return `${name} waits for host resources: ${missingRoom}`
  switch (stage.kind) {
    case 'queued':
      return queuedReason(name, place)
    case 'validating':
      return state.validation ? 'The checks have passed' : 'The checks are running'
    case 'staging':
      return `${name} starts ${instances(plan.instances)}, no traffic yet`
    case 'shifting':
      return `${weightText(plannedWeight(state))} of traffic is moving to ${name}`
    case 'holding':
      return `${name} gets ${weightText(desiredWeight(state))} of traffic for ${took(plan.steps[stage.step]?.holdMs ?? 0)}`
    case 'raising':
      return `${name} gets all traffic when ${plan.instances === 1 ? 'its instance stays' : `its ${plan.instances} instances stay`} healthy`
    case 'handing_over':
      return `All traffic is moving to ${name}`
    case 'warm':
      return stable === null || plan.keepStableWarmMs === 0
        ? `${name} has all traffic`
        : `${name} has all traffic; ${stable} is kept warm for ${took(plan.keepStableWarmMs)}`
    case 'retiring':
      return stable === null
        ? `${name} has all traffic`
        : `${name} has all traffic; ${stable} drains and stops`
    case 'promoted':
      return `${name} is the stable release`
    case 'returning':
    case 'stopping':
    case 'telling':
    case 'rolled_back':
    case 'failed':
      return rollback ? rollback.reason || `${rollback.by.name} rolled it back` : `${name} is rolled back`
    default:
      return assertNever(stage)
  }
}
