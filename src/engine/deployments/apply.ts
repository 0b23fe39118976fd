import { assertNever } from '../../base/index.ts'
import { isEngine } from '../../contract/index.ts'
import type { DeploymentEvent } from './events.ts'
import { hooksFor, type HookRun } from './hooks.ts'
import { logEntryFor } from './log-entries.ts'
import { planBeside } from './plan.ts'
import type { StoredEvent } from './ports.ts'
import { hasEnded, stepIndexOf, type DeploymentState, type Stage } from './state.ts'

/**
 * The state after one more event: `(state, event) -> state`. What to do in a state follows from the state alone (see
 * `desiredStateOf`), so a restart needs only the events. Throws on an event out of order, which is a bug or a damaged
 * store.
 */
export function apply(state: DeploymentState | null, stored: StoredEvent): DeploymentState {
  if (state === null) return begin(stored)
  if (stored.seq !== state.seq + 1)
    throw new Error(`event ${stored.seq} of ${stored.deploymentId} does not follow ${state.seq}`)
  if (hasEnded(state)) throw new Error(`${state.id} has ended; ${stored.event.kind} cannot happen to it`)
  const aged = age(state, stored.elapsedMs)
  const next = happen(aged, stored.event, stored.atMs)
  const entry = logEntryFor(aged, next, stored)
  const revision = state.revision + (changesNothing.includes(stored.event.kind) ? 0 : 1)
  return {
    ...next,
    seq: stored.seq,
    revision,
    personRevision: isOrder(stored.event) ? revision : state.personRevision,
    log: entry ? [...state.log, entry] : state.log,
    endedAtMs: hasEnded(next) ? stored.atMs : null,
  }
}

const changesNothing: readonly DeploymentEvent['kind'][] = ['watched', 'noted', 'judged', 'failureExplained']

/** Whether a person ordered it, as opposed to the engine. */
const isOrder = (event: DeploymentEvent): boolean =>
  event.kind !== 'requested' && 'by' in event && event.by !== undefined && !isEngine(event.by)

/** The state after all events of a deployment. Throws when there are none. */
export function replay(events: readonly StoredEvent[]): DeploymentState {
  const state = events.reduce<DeploymentState | null>(apply, null)
  if (!state) throw new Error('a deployment without events')
  return state
}

function begin(stored: StoredEvent): DeploymentState {
  const { event, atMs, seq } = stored
  if (event.kind !== 'requested' || seq !== 1)
    throw new Error(`the first event of ${stored.deploymentId} is ${event.kind}`)
  const { id, service, candidateReleaseId, stableReleaseId, plan, by, why, retryOf } = event
  const state: DeploymentState = {
    id,
    service,
    candidateReleaseId,
    stableReleaseId,
    stableInstances: 0,
    plan,
    createdBy: by,
    why,
    retryOf,
    createdAtMs: atMs,
    seq,
    revision: 1,
    personRevision: 0,
    stage: { kind: 'queued' },
    stageStartedAtMs: atMs,
    pause: null,
    missingRoom: '',
    isRoomWaived: false,
    rollback: null,
    reached: null,
    failure: null,
    weight: 0,
    hasHadTraffic: false,
    isHandedOver: false,
    isFullPromotion: false,
    openedGate: -1,
    skippedSteps: [],
    holdCount: 0,
    pendingHooks: [],
    stageMs: 0,
    activeMs: 0,
    exposedMs: 0,
    validation: null,
    baseline: null,
    judgement: null,
    judgedHold: 0,
    isJudgedAtEnd: false,
    log: [],
    endedAtMs: null,
  }
  const entry = logEntryFor(null, state, stored)
  return { ...state, log: entry ? [entry] : [] }
}

/**
 * The state after `elapsedMs` more of watched time. Time counts only while the deployment is not paused or queued; the
 * time of the stage also excludes hooks, which have their own timeout.
 */
export function age(state: DeploymentState, elapsedMs: number): DeploymentState {
  const isRunning = state.pause === null && state.stage.kind !== 'queued'
  return {
    ...state,
    stageMs: state.stageMs + (isRunning && state.pendingHooks.length === 0 ? elapsedMs : 0),
    activeMs: state.activeMs + (isRunning ? elapsedMs : 0),
    exposedMs: state.exposedMs + (state.hasHadTraffic ? elapsedMs : 0),
  }
}

function happen(state: DeploymentState, event: DeploymentEvent, atMs: number): DeploymentState {
  const enter = (stage: Stage, hooks: readonly HookRun[] = []): DeploymentState => ({
    ...state,
    stage,
    stageStartedAtMs: atMs,
    stageMs: 0,
    pendingHooks: hooks,
    pause: null,
    missingRoom: '',
    isRoomWaived: false,
  })
  const { stage } = state
  switch (event.kind) {
    case 'requested':
      throw new Error(`${state.id} was requested twice`)
    case 'begun':
      return {
        ...enter({ kind: 'validating' }, hooksFor(state, 'before', 'validating')),
        stableReleaseId: event.stableReleaseId,
        stableInstances: event.stableInstances,
        plan: planBeside(event.stableReleaseId, state.plan),
      }
    case 'validated':
      return { ...state, validation: event.validation, pendingHooks: hooksFor(state, 'after', 'validating') }
    case 'baselineCaptured':
      return {
        ...enter({ kind: 'staging' }, hooksFor(state, 'before', 'staging')),
        baseline: event.baseline,
      }
    case 'hookEnded':
      return { ...state, pendingHooks: state.pendingHooks.filter(({ key }) => key !== event.key) }
    case 'candidateHealthy':
      return state.isFullPromotion || state.stableReleaseId === null
        ? raise(state, enter, hooksFor(state, 'after', 'staging'))
        : enterStep(state, enter, 0, hooksFor(state, 'after', 'staging'))
    case 'weightReached':
      if (stage.kind !== 'shifting') return { ...state, weight: event.weight }
      return {
        ...enter({ kind: 'holding', step: stage.step }),
        weight: event.weight,
        holdCount: state.holdCount + 1,
        isJudgedAtEnd: false,
      }
    case 'judged':
      return {
        ...state,
        judgement: event.judgement,
        judgedHold: state.holdCount,
        isJudgedAtEnd: stage.kind === 'holding' && isHoldOver(state),
      }
    case 'stepPassed':
    case 'stepSkipped': {
      if (stage.kind !== 'holding' && stage.kind !== 'shifting') return state
      const after = stage.kind === 'holding' ? hooksFor(state, 'after', 'stepping', stage.step) : []
      const isLast = stage.step + 1 >= state.plan.steps.length
      const next = isLast ? raise(state, enter, after) : enterStep(state, enter, stage.step + 1, after)
      if (event.kind === 'stepPassed') return next
      // The person skipped past everything judged so far.
      return { ...skipping(next, [stage.step]), isRoomWaived: true, holdCount: state.holdCount + 1 }
    }
    case 'paused':
      return { ...state, pause: { cause: event.cause, by: event.by, reason: event.reason, sinceMs: atMs } }
    case 'resumed':
      return resume(state)
    case 'roomMissed':
      return { ...state, missingRoom: event.reason }
    case 'roomFound':
      return { ...state, missingRoom: '' }
    case 'promotionDemanded': {
      const isStepping = stage.kind === 'holding' || stage.kind === 'shifting'
      const next = isStepping ? raise(state, enter, []) : { ...state, pause: null, missingRoom: '' }
      // Earlier judgements no longer count.
      const passedOver = [...state.plan.steps.keys()].slice(stepIndexOf(state))
      return {
        ...skipping(next, passedOver),
        isFullPromotion: true,
        failure: null,
        holdCount: state.holdCount + 1,
      }
    }
    case 'candidateRaised':
      return { ...enter({ kind: 'handing_over' }), hasHadTraffic: true }
    case 'handedOver':
      return {
        ...enter({ kind: 'warm' }, hooksFor(state, 'after', 'promoting')),
        weight: 100,
        isHandedOver: true,
      }
    case 'warmthEnded':
      return enter({ kind: 'retiring' })
    case 'oldStopped':
      return enter({ kind: 'promoted' })
    case 'rollbackStarted': {
      const rollback = { by: event.by, reason: event.reason, isEmergency: event.isEmergency }
      const isUntouched = stage.kind === 'queued' || stage.kind === 'validating'
      if (isUntouched) {
        const hooks = rollbackHooks(state)
        const kind = hooks.length > 0 ? 'telling' : outcomeOf({ ...state, rollback })
        return { ...enter({ kind }, hooks), rollback }
      }
      const reached = state.hasHadTraffic ? { stepIndex: stepIndexOf(state), weight: state.weight } : null
      return { ...enter({ kind: 'returning' }), rollback, reached }
    }
    case 'trafficReturned':
      return {
        ...enter({ kind: 'stopping' }, rollbackHooks(state)),
        weight: 0,
      }
    case 'failureExplained':
      return { ...state, failure: event.failure }
    case 'candidateStopped':
      return enter({ kind: outcomeOf(state) })
    case 'noted':
    case 'watched':
      return state
    default:
      return assertNever(event)
  }
}

const skipping = (state: DeploymentState, steps: readonly number[]): DeploymentState => ({
  ...state,
  skippedSteps: [...state.skippedSteps, ...steps],
})

export const isHoldOver = ({ stage, plan, stageMs }: DeploymentState): boolean =>
  stage.kind === 'holding' && stageMs >= (plan.steps[stage.step]?.holdMs ?? 0)

/** A deployment that never had traffic and that no person ended has failed; any other was rolled back. */
export const outcomeOf = ({
  hasHadTraffic,
  rollback,
}: Pick<DeploymentState, 'hasHadTraffic' | 'rollback'>): 'rolled_back' | 'failed' =>
  hasHadTraffic || (rollback && !isEngine(rollback.by)) ? 'rolled_back' : 'failed'

const rollbackHooks = (state: DeploymentState): HookRun[] => [
  ...hooksFor(state, 'before', 'rolling_back'),
  ...hooksFor(state, 'after', 'rolling_back'),
]

type Enter = (stage: Stage, hooks?: readonly HookRun[]) => DeploymentState

const raise = (state: DeploymentState, enter: Enter, after: readonly HookRun[]): DeploymentState =>
  enter({ kind: 'raising' }, [...after, ...hooksFor(state, 'before', 'promoting')])

const enterStep = (
  state: DeploymentState,
  enter: Enter,
  step: number,
  after: readonly HookRun[],
): DeploymentState => ({
  ...enter({ kind: 'shifting', step }, [...after, ...hooksFor(state, 'before', 'stepping', step)]),
  hasHadTraffic: true,
})

/** Resumes after a person looked: the cause of the pause does not count against the deployment again. */
function resume(state: DeploymentState): DeploymentState {
  const { pause, stage } = state
  if (!pause) return state
  const open: DeploymentState = { ...state, pause: null, failure: null }
  switch (pause.cause) {
    case 'gate':
      return stage.kind === 'shifting' ? { ...open, openedGate: stage.step } : open
    case 'failure':
    case 'inconclusive':
      return {
        ...open,
        stageMs: 0,
        activeMs: 0,
        isJudgedAtEnd: false,
        holdCount: state.holdCount + 1,
      }
    case 'person':
    case 'hook':
      return open
    default:
      return assertNever(pause.cause)
  }
}
