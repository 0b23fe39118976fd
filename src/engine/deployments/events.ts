import type { Actor, Failure, Judgement, PauseCause, Plan, Validation } from '../../contract/index.ts'
import type { Counts } from '../canary/index.ts'

/**
 * Everything that can happen to a deployment, in the past tense. Its state is the fold of these events and of nothing
 * else.
 */
export type DeploymentEvent =
  | {
      kind: 'requested'
      id: string
      service: string
      candidateReleaseId: string
      stableReleaseId: string | null
      plan: Plan
      by: Actor
      why: string
      /** Id of the deployment that this one retries; empty for a new one. */
      retryOf: string
    }
  /** No earlier deployment of the service is open; this is the stable release now. */
  | { kind: 'begun'; stableReleaseId: string | null; stableInstances: number }
  | { kind: 'validated'; validation: Validation }
  /** Baseline of the stable release before anything changed; null when it had no traffic. */
  | { kind: 'baselineCaptured'; baseline: Counts | null }
  | { kind: 'hookEnded'; key: string; isSuccess: boolean; text: string }
  | { kind: 'candidateHealthy' }
  /** Verified at the router. */
  | { kind: 'weightReached'; weight: number }
  | { kind: 'judged'; judgement: Judgement }
  | { kind: 'stepPassed' }
  | { kind: 'stepSkipped'; by: Actor; why: string }
  | { kind: 'paused'; by: Actor; cause: PauseCause; reason: string }
  | { kind: 'resumed'; by: Actor; why: string }
  /** A host is above the limits of the plan, so the stage waits. `reason` is a clause. */
  | { kind: 'roomMissed'; reason: string }
  | { kind: 'roomFound' }
  | { kind: 'promotionDemanded'; by: Actor; why: string }
  /** All instances of the candidate are healthy and may take all traffic. */
  | { kind: 'candidateRaised' }
  /** Verified at the router: the candidate has all traffic. From this event on it is the stable release. */
  | { kind: 'handedOver' }
  /** The warm time is over, or a new deployment ends it; `by` and `forReleaseId` then say whose. */
  | { kind: 'warmthEnded'; by?: Actor; forReleaseId?: string }
  | { kind: 'oldStopped' }
  | {
      kind: 'rollbackStarted'
      by: Actor
      reason: string
      isEmergency: boolean
    }
  /** Verified at the router: the candidate has no traffic. */
  | { kind: 'trafficReturned' }
  /** What the instances of the candidate did and printed last, read before they are removed. */
  | { kind: 'failureExplained'; failure: Failure }
  | { kind: 'candidateStopped' }
  /**
   * Something a person should know that changes nothing, such as a router that does not answer or a change made by
   * others.
   */
  | { kind: 'noted'; severity: 'info' | 'warning' | 'critical'; text: string }
  /** Time passed without any other event; keeps the clocks of the state. */
  | { kind: 'watched' }
