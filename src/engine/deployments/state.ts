import {
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

/** The engine takes a deployment back of its own accord. */
export const rollback = (reason: string): DeploymentEvent => ({
  kind: 'rollbackStarted',
  by: engineActor,
  reason,
  isEmergency: false,
})

/** Where a deployment is. `step` is an index into the plan's steps. */
export type Stage =
  /** Waits until an earlier deployment of the service has ended, or one of the others when as many run as may. */
  | { kind: 'queued' }
  | { kind: 'validating' }
  /** Candidate starts, without traffic. */
  | { kind: 'staging' }
  /** The router shall take the step's weight. */
  | { kind: 'shifting'; step: number }
  | { kind: 'holding'; step: number }
  /** All of the candidate's instances shall be healthy before it takes everything. */
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
  /** Nothing of it was ever started: it ends when its hooks have been told. */
  | { kind: 'telling' }
  | { kind: 'rolled_back' }
  | { kind: 'failed' }

export interface Pause {
  cause: PauseCause
  by: string
  reason: string
  sinceMs: number
}

/** All that is known of a deployment: the fold of its events. Never changed in place. */
export interface DeploymentState {
  id: string
  service: string
  candidateReleaseId: string
  stableReleaseId: string | null
  /** Copies of the stable release. */
  stableInstances: number
  plan: Plan
  createdBy: string
  why: string
  retryOf: string
  createdAtMs: number
  /** Of the last event. */
  seq: number
  /** Grows with each event that changes what a person may do; passing time and judgements do not. */
  revision: number
  /** The revision that the last order of a person made; 0 before the first. */
  personRevision: number
  stage: Stage
  stageStartedAtMs: number
  pause: Pause | null
  /** Why the stage waits for room on the hosts, as a clause; empty when it does not. */
  missingRoom: string
  /** A person skipped to this stage: it waits for no room. */
  isRoomWaived: boolean
  rollback: { by: string; reason: string; isEmergency: boolean } | null
  /** How far it had come when it was taken back; null when it was not, or had no traffic. */
  reached: { stepIndex: number; weight: number } | null
  /** What its instances did when the engine took it back or paused it for a failure; null where nobody has looked. */
  failure: Failure | null
  /** Of the candidate, verified at the router, percent. */
  weight: number
  /** The router may have sent it requests. */
  hasHadTraffic: boolean
  /** From then on the candidate is the service's stable release, unless it is rolled back. */
  isHandedOver: boolean
  isFullPromotion: boolean
  /** Step whose gate a person has opened; -1 before the first. */
  openedGate: number
  /** Indexes of the steps that a person skipped, whole or the rest of them, in rising order. */
  skippedSteps: readonly number[]
  /** Holds begun, and looks of persons that made a new start of one: what was judged before has had its say. */
  holdCount: number
  /** Hooks to be run before the stage goes on, first first. */
  pendingHooks: readonly HookRun[]
  /**
   * Time watched in this stage, in the whole, and since the candidate first had traffic, ms. Pauses count only for the last,
   * the time of hooks not for the stage.
   */
  stageMs: number
  activeMs: number
  exposedMs: number
  validation: Validation | null
  baseline: Counts | null
  judgement: Judgement | null
  /** Which hold the judgement is of: that of an earlier one has had its say. */
  judgedHold: number
  /** Whether that judgement was made when the hold's time was up. */
  isJudgedAtEnd: boolean
  log: readonly LogEntry[]
  endedAtMs: number | null
}

const ended: readonly Stage['kind'][] = ['promoted', 'rolled_back', 'failed']

export const hasEnded = ({ stage }: Pick<DeploymentState, 'stage'>): boolean => ended.includes(stage.kind)

/** It goes back or has gone back: nothing of it moves forward any more. */
export const isGoingBack = ({ rollback }: Pick<DeploymentState, 'rollback'>): boolean => rollback !== null

/** The engine took it back or paused it for a failure, and what its instances did is not on record yet. */
export const isToExplain = ({ stage, pause, rollback, failure }: DeploymentState): boolean => {
  const isTakenBack =
    (stage.kind === 'returning' || stage.kind === 'stopping') && rollback?.by === engineActor
  return failure === null && (isTakenBack || pause?.cause === 'failure')
}

/** Promoted; what is left is to stop the old release. */
export const isRetiring = ({ stage }: Pick<DeploymentState, 'stage'>): boolean => stage.kind === 'retiring'

/** No rollback of its own accord leads to the release before any more: it stops, or an undo has left it. */
export const hasLeftForGood = (state: Pick<DeploymentState, 'stage' | 'plan' | 'isHandedOver'>): boolean =>
  isRetiring(state) || (state.isHandedOver && state.plan.isUndo === true)

/** Its instances answer for it: from their start until no warm release is left to go back to. */
export const isOnTrial = ({ stage, stableReleaseId, plan }: DeploymentState): boolean =>
  ['staging', 'shifting', 'holding', 'raising', 'handing_over'].includes(stage.kind) ||
  (stage.kind === 'warm' && stableReleaseId !== null && !plan.isUndo)

/** Index of the step it is at; the count of steps once it is past them, 0 before its first traffic. */
export const stepIndexOf = ({ stage, plan, hasHadTraffic }: DeploymentState): number => {
  if (stage.kind === 'shifting' || stage.kind === 'holding') return stage.step
  return hasHadTraffic ? plan.steps.length : 0
}

/**
 * Index of the step whose share of traffic the candidate has to answer for to the judge; -1 where nobody asks. It goes on
 * doing so after the hold, while a gate, a hook or room is waited for; not when a person has promoted it, judged or not.
 */
export function answerableStep({ stage, plan, weight, isFullPromotion }: DeploymentState): number {
  if (isFullPromotion) return -1
  if (stage.kind === 'holding') return stage.step
  if (weight === 0) return -1
  if (stage.kind === 'shifting') return stage.step - 1
  return stage.kind === 'raising' || stage.kind === 'handing_over' ? plan.steps.length - 1 : -1
}

/** The candidate's share that the plan wants in this stage, percent, pauses aside. */
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
