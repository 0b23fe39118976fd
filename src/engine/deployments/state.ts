import {
  isEngine,
  isFinal,
  type Actor,
  engineActor,
  type Failure,
  type Judgement,
  type LogEntry,
  type PauseCause,
  type Plan,
  type Validation,
} from '../../contract/index.ts'
import type { Counts } from '../canary/index.ts'
import type { DeploymentEvent } from './events.ts'
import type { HookRun } from './hooks.ts'

/** The engine rolls a deployment back on its own. */
export const rollback = (reason: string): DeploymentEvent => ({
  kind: 'rollbackStarted',
  by: engineActor,
  reason,
  isEmergency: false,
})

/** Where a deployment is. `step` is an index into the plan's steps. */
export type Stage =
  /**
   * Waits until an earlier deployment of the service has ended, or for a place when the most deployments allowed are
   * moving.
   */
  | { kind: 'queued' }
  | { kind: 'validating' }
  /** The candidate starts, without traffic. */
  | { kind: 'staging' }
  /** The router changes to the weight of the step. */
  | { kind: 'shifting'; step: number }
  | { kind: 'holding'; step: number }
  /** All instances of the candidate become healthy before it takes all traffic. */
  | { kind: 'raising' }
  | { kind: 'handing_over' }
  /** The candidate is the stable release; the old one still runs, without traffic. */
  | { kind: 'warm' }
  | { kind: 'retiring' }
  | { kind: 'promoted' }
  /** Traffic goes back to the stable release. */
  | { kind: 'returning' }
  /** The candidate drains and stops. */
  | { kind: 'stopping' }
  /** Nothing of it was started; it ends when its hooks have run. */
  | { kind: 'telling' }
  | { kind: 'rolled_back' }
  | { kind: 'failed' }

export interface Pause {
  cause: PauseCause
  by: Actor
  reason: string
  sinceMs: number
}

/** The whole state of a deployment: the fold of its events. Never changed in place. */
export interface DeploymentState {
  id: string
  service: string
  candidateReleaseId: string
  stableReleaseId: string | null
  /** Number of instances of the stable release. */
  stableInstances: number
  plan: Plan
  createdBy: Actor
  why: string
  retryOf: string
  createdAtMs: number
  /** Sequence number of the last event. */
  seq: number
  /** Grows with each event that changes what a person may do; passing time and judgements do not. */
  revision: number
  /** The revision after the last order of a person; 0 before the first. */
  personRevision: number
  stage: Stage
  stageStartedAtMs: number
  pause: Pause | null
  /** Why the stage waits for host resources, as a clause; empty when it does not wait. */
  missingRoom: string
  /** A person skipped to this stage, so it does not wait for host resources. */
  isRoomWaived: boolean
  rollback: { by: Actor; reason: string; isEmergency: boolean } | null
  /** How far it had come when it was rolled back; null when it was not, or had no traffic. */
  reached: { stepIndex: number; weight: number } | null
  /** What its instances did when the engine rolled it back or paused it for a failure; null until that was read. */
  failure: Failure | null
  /** Weight of the candidate, verified at the router, percent. */
  weight: number
  /** Whether the router may have sent it requests. */
  hasHadTraffic: boolean
  /** Whether the candidate is the service's stable release, unless it is rolled back. */
  isHandedOver: boolean
  isFullPromotion: boolean
  /** Index of the last step whose gate a person opened; -1 before the first. */
  openedGate: number
  /** Indexes of the steps that a person skipped, in whole or in part, in rising order. */
  skippedSteps: readonly number[]
  /** Counts the holds started and the times a person restarted one; judgements of an earlier count no longer apply. */
  holdCount: number
  /** Hooks to run before the stage continues, in order. */
  pendingHooks: readonly HookRun[]
  /**
   * Watched time in this stage, in total, and since the candidate first had traffic, ms. Pauses count only for the
   * last; hooks do not count for the stage.
   */
  stageMs: number
  activeMs: number
  exposedMs: number
  validation: Validation | null
  baseline: Counts | null
  judgement: Judgement | null
  /** The hold that the judgement is about; one of an earlier hold no longer counts. */
  judgedHold: number
  /** Whether that judgement was made at the end of the hold. */
  isJudgedAtEnd: boolean
  log: readonly LogEntry[]
  endedAtMs: number | null
}

export const hasEnded = ({ stage }: Pick<DeploymentState, 'stage'>): boolean => isFinal(stage.kind)

/** Whether it is going back or has gone back; nothing of it moves forward any more. */
export const isGoingBack = ({ rollback }: Pick<DeploymentState, 'rollback'>): boolean => rollback !== null

/** Whether the engine rolled it back or paused it for a failure, and what its instances did is not recorded yet. */
export const isToExplain = ({ stage, pause, rollback, failure }: DeploymentState): boolean => {
  const isTakenBack =
    (stage.kind === 'returning' || stage.kind === 'stopping') && rollback !== null && isEngine(rollback.by)
  return failure === null && (isTakenBack || pause?.cause === 'failure')
}

/** Whether it is promoted and only has to stop the old release. */
export const isRetiring = ({ stage }: Pick<DeploymentState, 'stage'>): boolean => stage.kind === 'retiring'

/**
 * Whether the engine can no longer roll back to the previous release on its own: that release is stopping, or an undo
 * has left it.
 */
export const hasLeftForGood = (state: Pick<DeploymentState, 'stage' | 'plan' | 'isHandedOver'>): boolean =>
  isRetiring(state) || (state.isHandedOver && state.plan.isUndo === true)

/** Whether instance failures count against it: from its start until there is no warm release to return to. */
export const isOnTrial = ({ stage, stableReleaseId, plan }: DeploymentState): boolean =>
  ['staging', 'shifting', 'holding', 'raising', 'handing_over'].includes(stage.kind) ||
  (stage.kind === 'warm' && stableReleaseId !== null && !plan.isUndo)

/** Index of the current step; the number of steps once it is past them, 0 before its first traffic. */
export const stepIndexOf = ({ stage, plan, hasHadTraffic }: DeploymentState): number => {
  if (stage.kind === 'shifting' || stage.kind === 'holding') return stage.step
  return hasHadTraffic ? plan.steps.length : 0
}

/**
 * Index of the step whose traffic the judge looks at; -1 when there is none. It still counts after the hold, while a
 * gate, a hook or host resources are awaited, but not once a person has promoted the candidate.
 */
export function answerableStep({ stage, plan, weight, isFullPromotion }: DeploymentState): number {
  if (isFullPromotion) return -1
  if (stage.kind === 'holding') return stage.step
  if (weight === 0) return -1
  if (stage.kind === 'shifting') return stage.step - 1
  return stage.kind === 'raising' || stage.kind === 'handing_over' ? plan.steps.length - 1 : -1
}

/** The candidate's share that the plan wants in this stage, percent, regardless of pauses. */
export function plannedWeight({ stage, plan, weight }: DeploymentState): number {
  switch (stage.kind) {
    case 'shifting':
    case 'holding':
      return plan.steps[stage.step]?.weight ?? weight
    case 'raising':
      return weight
    case 'handing_over':
    case 'warm':
    case 'retiring':
    case 'promoted':
      return 100
    default:
      return 0
  }
}
