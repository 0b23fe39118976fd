import type { Deployment, DeploymentPhase } from '../../contract/index.ts'
import { assertNever } from '../core/index.ts'
import { plannedWeight, stepIndexOf, type DeploymentState } from './state.ts'
import { wishedWeight } from './wishes.ts'
import { duration, instances } from './wording.ts'

/** A deployment as it crosses to screens, and as lists keep it. */
export function deploymentView(state: DeploymentState): Deployment {
  const { stage } = state
  const isStep = stage.kind === 'shifting' || stage.kind === 'holding'
  return {
    id: state.id,
    service: state.service,
    stableReleaseId: state.stableReleaseId,
    candidateReleaseId: state.candidateReleaseId,
    phase: phaseOf(state),
    pauseCause: state.pause?.cause ?? null,
    reason: reasonOf(state),
    plan: state.plan,
    stepIndex: stepIndexOf(state),
    stepStartedAtMs: isStep ? state.stageStartedAtMs : null,
    reached: state.reached,
    weight: wishedWeight(state),
    validation: state.validation,
    judgement: state.judgement,
    log: [...state.log],
    createdBy: state.createdBy,
    why: state.why,
    createdAtMs: state.createdAtMs,
    endedAtMs: state.endedAtMs,
    revision: state.revision,
  }
}

export function phaseOf({ stage, pause }: DeploymentState): DeploymentPhase {
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
      return 'rolling_back'
    case 'promoted':
    case 'rolled_back':
    case 'failed':
      return stage.kind
    default:
      return assertNever(stage)
  }
}

/** Why it is where it is, as a sentence. */
function reasonOf(state: DeploymentState): string {
  const { stage, pause, missingRoom, rollback, plan, candidateReleaseId: name } = state
  const stable = state.stableReleaseId
  if (pause) return pause.reason
  if (missingRoom !== '') return `${name} waits for room: ${missingRoom}`
  switch (stage.kind) {
    case 'queued':
      return 'Waits for its turn: for the deployment of this service before it, or one of the many that run now'
    case 'validating':
      return state.validation ? 'The checks have passed' : 'The checks are running'
    case 'staging':
      return `${name} starts ${instances(plan.instances)}, without traffic`
    case 'shifting':
      return `${name} is to get ${plannedWeight(state)} % of traffic`
    case 'holding':
      return `${name} gets ${wishedWeight(state)} % of traffic for ${duration(plan.steps[stage.step]?.holdMs ?? 0)}`
    case 'raising':
    case 'handing_over':
      return `${name} takes over`
    case 'warm':
      return stable === null
        ? `${name} has all traffic`
        : `${name} has all traffic; ${stable} is kept warm for ${duration(plan.keepStableWarmMs)}`
    case 'retiring':
      return `${name} has all traffic; ${stable ?? 'nothing'} drains and stops`
    case 'promoted':
      return `${name} is the stable release`
    case 'returning':
    case 'stopping':
    case 'rolled_back':
    case 'failed':
      return rollback?.reason ?? ''
    default:
      return assertNever(stage)
  }
}
