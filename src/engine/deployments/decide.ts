import { assertNever } from '../../base/index.ts'
import {
  engineActor,
  ofRelease,
  took,
  weightOf,
  type Failure,
  type Judgement,
  type Plan,
  type Validation,
} from '../../contract/index.ts'
import type { Counts } from '../canary/index.ts'
import type { RouterReport, TargetReport } from '../platforms/index.ts'
import { apply, isHoldOver } from './apply.ts'
import type { DeploymentEvent } from './events.ts'
import { failedInstances } from './instance-trouble.ts'
import type { ServiceRecord } from './service-record.ts'
import { recordAfter } from './record.ts'
import {
  answerableStep,
  hasEnded,
  isGoingBack,
  isOnTrial,
  isToExplain,
  rollback,
  type DeploymentState,
} from './state.ts'
import {
  agrees,
  healthyCount,
  isGone,
  isHookOrGateDue,
  isRoutedAsDesired,
  isToClaim,
  returnCause,
  desiredStateOf,
} from './desired-state.ts'

/** Without a healthy instance for this long, a candidate has failed; a shorter gap may be one missed health check. */
const deadAfterMs = 5000

/** How long a candidate must stay healthy before it takes over. One whose process keeps exiting never does. */
const settleMs = 10_000

/** What was observed at one moment; null means that nobody answered. */
export interface Facts {
  router: RouterReport | null
  target: TargetReport | null
  /** How long the candidate has had no healthy instance, as far as the target answered, ms. */
  deadForMs: number
  /** How long all instances of the candidate have been healthy without a restart, ms. */
  steadyForMs: number
  /** Host resources above the limits of the plan, as a clause; empty while there is headroom. */
  missingRoom: string
  /** Baseline of the stable release before the deployment; undefined until it was read. */
  baseline?: Counts | null
  /** What the instances of a failed candidate did; undefined until it was read. */
  failure?: Failure
}

/**
 * What happens next to a deployment, given the facts: at most one event, null when it has to wait. Pure. The caller
 * asks again after each event until the answer is null. Decisions of people and of the judge come in as events of
 * their own.
 */
export function decide(state: DeploymentState, record: ServiceRecord, facts: Facts): DeploymentEvent | null {
  if (hasEnded(state)) return null
  if (isGoingBack(state)) return goBack(state, record, facts)
  return (
    foundAtRouter(state, facts) ??
    failure(state, facts) ??
    explained(state, facts) ??
    (state.pause ? null : (judged(state) ?? goOn(state, record, facts)))
  )
}

const explained = (state: DeploymentState, { failure }: Facts): DeploymentEvent | null =>
  failure && isToExplain(state) ? { kind: 'failureExplained', failure } : null

/** The traffic was removed, but the engine stopped before it recorded that. The candidate does not get it back. */
function foundAtRouter({ id, hasHadTraffic }: DeploymentState, { router }: Facts): DeploymentEvent | null {
  if (!hasHadTraffic || !router?.key.startsWith(`${returnCause(id)}:`)) return null
  return rollback('its traffic had already been removed when the engine stopped')
}

/** What ends a deployment in any stage. A paused deployment cannot fail by time, but it can fail by its judge. */
function failure(state: DeploymentState, facts: Facts): DeploymentEvent | null {
  const { stage, plan, candidateReleaseId: name, validation } = state
  const judgement = freshJudgement(state)
  if (stage.kind === 'queued') return null
  if (stage.kind === 'validating')
    return validation && !validation.canDeploy ? rollback(failedChecks(validation)) : overdue(state)
  if (stage.kind === 'retiring') return null
  const isAnswerable = answerableStep(state) >= 0 || (isOnTrial(state) && isOfInstances(judgement))
  const isBad = judgement?.decision === 'rollback' && isAnswerable
  if (isBad && state.pause?.cause !== 'failure') return fail(state, judgement.text)
  const isCarrying = stage.kind !== 'staging'
  if (isCarrying && facts.deadForMs >= deadAfterMs)
    return fail(state, `no instance of ${name} has been healthy for ${took(facts.deadForMs)}`)
  if (stage.kind === 'warm' || state.pause) return null
  const waits = stage.kind !== 'holding' && !isHookOrGateDue(state)
  if (waits && state.stageMs > plan.progressDeadlineMs) return fail(state, whyNoProgress(state, facts))
  return overdue(state)
}

/** Whether instances failed more often than the plan tolerates. This needs no traffic. */
const isOfInstances = (judgement: Judgement | null): boolean =>
  judgement?.findings.some(({ metric, verdict }) => metric === 'instances' && verdict === 'worse') ?? false

/** The checks that forbid it; for a single one, what it found. */
function failedChecks({ results }: Validation): string {
  const failed = results.filter(({ critical, outcome }) => critical && outcome === 'failed')
  const [first] = failed
  if (first && failed.length === 1) return `the check ${first.name} failed: ${first.text}`
  return `${failed.length} checks failed: ${failed.map(({ name }) => name).join(', ')}`
}

function overdue(state: DeploymentState): DeploymentEvent | null {
  if (state.pause || state.activeMs <= state.plan.maxTimeMs) return null
  return fail(state, `the deployment took longer than ${took(state.plan.maxTimeMs)}`)
}

/**
 * Applies the plan's policy on failure. A deployment already paused by a failure stays paused, and none is paused
 * before it has traffic.
 */
function fail(state: DeploymentState, reason: string): DeploymentEvent | null {
  if (state.plan.onFailure === 'rollback' || !state.hasHadTraffic || state.isHandedOver)
    return rollback(reason)
  if (state.pause?.cause === 'failure') return null
  return { kind: 'paused', by: engineActor, cause: 'failure', reason }
}

function whyNoProgress(
  { stage, plan, candidateReleaseId: name, missingRoom }: DeploymentState,
  facts: Facts,
): string {
  const within = `within ${took(plan.progressDeadlineMs)}`
  if (missingRoom !== '') return `host resources were short ${within}: ${missingRoom}`
  if (stage.kind !== 'staging' && stage.kind !== 'raising')
    return `the router did not apply the weights ${within}`
  if (!facts.target) return `the target did not answer ${within}`
  const [sick] = failedInstances(name, facts.target)
  if (stage.kind === 'raising' && healthyCount(name, facts.target) >= plan.instances)
    return `${name} did not stay healthy for ${took(settleTime(plan))} ${within}`
  const counted = `${healthyCount(name, facts.target)} of ${plan.instances} instances of ${name} became healthy ${within}`
  return sick ? `${counted}; ${sick.id}: ${sick.reason}` : counted
}

/** The judgement of this hold; those of earlier holds no longer count. */
const freshJudgement = ({ judgement, judgedHold, holdCount }: DeploymentState) =>
  judgedHold === holdCount ? judgement : null

/** What follows from the newest judgement, except a bad one: `failure` handles that. */
function judged(state: DeploymentState): DeploymentEvent | null {
  const { stage, isJudgedAtEnd, plan, pendingHooks } = state
  const judgement = freshJudgement(state)
  if (stage.kind !== 'holding' || pendingHooks.length > 0 || !isHoldOver(state)) return inconclusive(state)
  const needsJudge = plan.steps[stage.step]?.analysis === true && !plan.skipAnalysis
  if (!needsJudge) return { kind: 'stepPassed' }
  if (!isJudgedAtEnd || !judgement) return null
  if (judgement.decision === 'promote') return { kind: 'stepPassed' }
  return inconclusive(state)
}

function inconclusive(state: DeploymentState): DeploymentEvent | null {
  const { stage, plan } = state
  const judgement = freshJudgement(state)
  if (stage.kind !== 'holding' || judgement?.decision !== 'inconclusive') return null
  switch (plan.onInconclusive) {
    case 'pause':
      return { kind: 'paused', by: engineActor, cause: 'inconclusive', reason: judgement.text }
    case 'promote':
      return isHoldOver(state) && state.isJudgedAtEnd ? { kind: 'stepPassed' } : null
    case 'rollback':
      return rollback(judgement.text)
    default:
      return assertNever(plan.onInconclusive)
  }
}

function goOn(state: DeploymentState, record: ServiceRecord, facts: Facts): DeploymentEvent | null {
  const { stage, plan, candidateReleaseId: name, pendingHooks } = state
  if (pendingHooks.length > 0) return null
  const desired = desiredStateOf(state, record, facts.target)
  const isRouted = facts.router !== null && isRoutedAsDesired(desired, facts.router)
  const isRaised = facts.target !== null && healthyCount(name, facts.target) >= plan.instances
  const room = roomChange(state, facts)
  if (room) return room
  if (state.missingRoom !== '') return null
  switch (stage.kind) {
    case 'queued':
      return null
    case 'validating':
      return state.validation && facts.baseline !== undefined
        ? { kind: 'baselineCaptured', baseline: facts.baseline }
        : null
    case 'staging':
      return isRaised && facts.target && !isToClaim(desired, name, facts.target)
        ? { kind: 'candidateHealthy' }
        : null
    case 'shifting':
      if (isHookOrGateDue(state))
        return {
          kind: 'paused',
          by: engineActor,
          cause: 'gate',
          reason: `Step ${stage.step + 1} of ${plan.steps.length} waits for approval`,
        }
      return isRouted ? { kind: 'weightReached', weight: plan.steps[stage.step]?.weight ?? 0 } : null
    case 'holding':
      return null
    case 'raising':
      return isRaised && isSettled(state, facts) ? { kind: 'candidateRaised' } : null
    case 'handing_over':
      return isRouted ? { kind: 'handedOver' } : null
    case 'warm':
      return state.stableReleaseId === null || state.stageMs >= plan.keepStableWarmMs
        ? { kind: 'warmthEnded' }
        : null
    case 'retiring': {
      const old = state.stableReleaseId
      const isAlone = old === null || (facts.target !== null && isGone(old, facts.target))
      return isRouted && isAlone ? { kind: 'oldStopped' } : null
    }
    default:
      return null
  }
}

/** How long a candidate must stay healthy; less for a plan with a short progress deadline. */
const settleTime = ({ progressDeadlineMs }: Plan): number => Math.min(settleMs, progressDeadlineMs / 2)

/** Whether the candidate may take over. One that a person promotes need not prove that it stays up. */
const isSettled = ({ plan, isFullPromotion }: DeploymentState, { steadyForMs }: Facts): boolean =>
  isFullPromotion || steadyForMs >= settleTime(plan)

/** The event when a stage starts or stops waiting for headroom. */
function roomChange(state: DeploymentState, facts: Facts): DeploymentEvent | null {
  const reason = needsRoom(state, facts) ? facts.missingRoom : ''
  if (reason === '') return state.missingRoom === '' ? null : { kind: 'roomFound' }
  return state.missingRoom === '' ? { kind: 'roomMissed', reason } : null
}

/**
 * Whether a stage needs headroom: it starts instances or gives the candidate more traffic, no person overrode the
 * wait, and it is not a first release.
 */
function needsRoom(state: DeploymentState, { router, target }: Facts): boolean {
  const { stage, plan, candidateReleaseId: name } = state
  if (state.stableReleaseId === null || state.isFullPromotion || state.isRoomWaived) return false
  switch (stage.kind) {
    case 'staging':
      return ((target && ofRelease(target.wanted, name)) ?? 0) < plan.instances
    case 'shifting':
      return (
        !isHookOrGateDue(state) &&
        weightOf(router?.weights ?? {}, name) < (plan.steps[stage.step]?.weight ?? 0)
      )
    case 'raising':
      return true
    default:
      return false
  }
}

function goBack(state: DeploymentState, record: ServiceRecord, facts: Facts): DeploymentEvent | null {
  if (state.stage.kind === 'telling')
    return state.pendingHooks.length === 0 ? { kind: 'candidateStopped' } : null
  const desired = desiredStateOf(state, record, facts.target)
  if (!facts.router || !agrees(facts.router.weights, desired.weights)) return null
  if (state.stage.kind === 'returning') return { kind: 'trafficReturned' }
  if (isToExplain(state)) return explained(state, facts)
  if (state.stage.kind !== 'stopping' || state.pendingHooks.length > 0) return null
  return facts.target && isGone(state.candidateReleaseId, facts.target) ? { kind: 'candidateStopped' } : null
}

/** Most events that may follow from one observation; more is a defect that must not loop forever. */
export const mostEventsALook = 20

/** The events that follow one after another from one observation. */
export function followUps(state: DeploymentState, record: ServiceRecord, facts: Facts): DeploymentEvent[] {
  const events: DeploymentEvent[] = []
  let current = state
  let known = record
  while (events.length < mostEventsALook) {
    const event = decide(current, known, facts)
    if (!event) break
    events.push(event)
    known = recordAfter(known, current, event)
    current = apply(current, { deploymentId: state.id, seq: current.seq + 1, atMs: 0, elapsedMs: 0, event })
    if (hasEnded(current)) break
  }
  return events
}
