import type { Failure, Judgement, PauseCause, Plan, Validation } from '../../contract/index.ts'
import type { Counts } from '../canary/index.ts'

/** Everything that can happen to a deployment, in past tense; its state is the fold of these and nothing else. */
export type DeploymentEvent =
  | {
      kind: 'requested'
      id: string
      service: string
      candidateReleaseId: string
      stableReleaseId: string | null
      plan: Plan
      by: string
      why: string
      /** Of a deployment that this one repeats; empty for a new one. */
      retryOf: string
    }
  /** No earlier deployment of the service is open any more; this is the stable release now. */
  | { kind: 'begun'; stableReleaseId: string | null; stableInstances: number }
  | { kind: 'validated'; validation: Validation }
  /** What the stable release did before anything was touched; null where it had no traffic. */
  | { kind: 'baselineCaptured'; baseline: Counts | null }
  | { kind: 'hookEnded'; key: string; isSuccess: boolean; text: string }
  | { kind: 'candidateHealthy' }
  /** Verified at the router. */
  | { kind: 'weightReached'; weight: number }
  | { kind: 'judged'; judgement: Judgement }
  | { kind: 'stepPassed' }
  | { kind: 'stepSkipped'; by: string; why: string }
  | { kind: 'paused'; by: string; cause: PauseCause; reason: string }
  | { kind: 'resumed'; by: string; why: string }
  /** A host is fuller than the plan allows: the stage waits. `reason` is a clause. */
  | { kind: 'roomMissed'; reason: string }
  | { kind: 'roomFound' }
  | { kind: 'promotionDemanded'; by: string; why: string }
  /** All instances of the candidate are healthy and may take everything. */
  | { kind: 'candidateRaised' }
  /** Verified at the router: the candidate has all traffic. From this event on it is the stable release. */
  | { kind: 'handedOver' }
  /** Its time is up, or a new deployment needs the place: then `by` and `forReleaseId` say whose. */
  | { kind: 'warmthEnded'; by?: string; forReleaseId?: string }
  | { kind: 'oldStopped' }
  | {
      kind: 'rollbackStarted'
      by: string
      reason: string
      isEmergency: boolean
    }
  /** Verified at the router: the candidate has no traffic. */
  | { kind: 'trafficReturned' }
  /** What instances of the candidate did and printed last, read before they are gone. */
  | { kind: 'failureExplained'; failure: Failure }
  | { kind: 'candidateStopped' }
  /** Something a person should know that changes nothing: a router that does not answer, somebody else's change. */
  | { kind: 'noted'; severity: 'info' | 'warning' | 'critical'; text: string }
  /** Time went by with nothing else to say; keeps the clocks of the state. */
  | { kind: 'watched' }
