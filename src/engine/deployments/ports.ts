import type { Result } from '../../base/index.ts'
import type {
  Deployment,
  DeploymentPhase,
  Hook,
  Plan,
  Release,
  ResourceLimits,
  Validation,
} from '../../contract/index.ts'
import type { AuditChange } from '../audit/index.ts'
import type { EvidenceChange, JudgeMemory } from '../canary/index.ts'
import type { UnitOfWork } from '../core/index.ts'
import type { ReleaseChange, ReleaseStore } from '../releases/index.ts'
import type { DeploymentEvent } from './events.ts'
import type { ServiceChange, ServiceStore } from './service-record.ts'

export interface StoredEvent {
  deploymentId: string
  /** Counts from 1 without gaps. */
  seq: number
  /** Wall time, for people. */
  atMs: number
  /** Watched time since the previous event, ms, monotonic: restarts and suspends do not count. */
  elapsedMs: number
  event: DeploymentEvent
}

export type DeploymentChange =
  | { kind: 'addEvent'; event: StoredEvent }
  /** The deployment after its events, as lists and screens read it. */
  | { kind: 'putDeployment'; deployment: Deployment }

/** A deployment that has not ended, with everything needed to go on. */
export interface OpenDeployment {
  events: readonly StoredEvent[]
  memory: JudgeMemory | null
  cursor: string | null
}

interface DeploymentFilter {
  service?: string
  phases?: readonly DeploymentPhase[]
  releaseId?: string
  createdBy?: string
  /** Text that occurs in the service, releases, reason or why. */
  text?: string
  fromMs?: number
  toMs?: number
  limit: number
  /** Only deployments older than this one. */
  beforeId?: string
}

/**
 * Port: stored deployments. Fails as `UnitOfWork` does. A commit fails with CONFLICT when the place of an event is
 * taken, which means that someone else writes.
 */
export interface DeploymentStore {
  /** The deployments of `service` that have not ended, oldest first. */
  openOf(service: string): Promise<Result<OpenDeployment[]>>
  eventsOf(deploymentId: string): Promise<Result<StoredEvent[]>>
  /** NOT_FOUND when there is none. */
  find(id: string): Promise<Result<Deployment>>
  /** Newest first. */
  list(filter: DeploymentFilter): Promise<Result<Deployment[]>>
}

/** What a service's loop reads and writes. */
export interface SteeringStores {
  work: UnitOfWork<DeploymentChange | ServiceChange | ReleaseChange | EvidenceChange | AuditChange>
  services: ServiceStore
  releases: ReleaseStore
  deployments: DeploymentStore
}

export interface ValidationRequest {
  deploymentId: string
  service: string
  release: Release
  stableReleaseId: string | null
  plan: Plan
}

/**
 * Port: host resources above `limits`, as a phrase for display; empty when there is headroom. Values that were not
 * measured are no reason to wait.
 */
export type HeadroomLook = (limits: ResourceLimits) => string

/** Port: the checks before a deployment. Ends within 5 minutes, whatever the checks do. */
export interface Validator {
  validate(request: ValidationRequest, signal: AbortSignal): Promise<Result<Validation>>
}

/** What a hook gets, as JSON or in its environment. */
export interface HookContext {
  /** The same for the same occasion, so that a hook can recognize a repeated run after a crash. */
  key: string
  deploymentId: string
  service: string
  candidateReleaseId: string
  stableReleaseId: string | null
  phase: Hook['phase']
  when: Hook['when']
  stepIndex: number | null
  weight: number
  /** How a deployment that goes back ends: `failed` for a release that never had traffic. Null on the way forward. */
  ending: 'rolled_back' | 'failed' | null
  /** Why the deployment is where it is: what it waits for, or why it went back. Never empty. */
  reason: string
  atMs: number
}

export interface HookOutcome {
  isSuccess: boolean
  /**
   * Exit code, status or signal, as a sentence; for a failed script with the last line it printed, without secrets.
   */
  text: string
  /** What it printed, cut at 64 kB. */
  output: string
}

/**
 * Port: runs a hook to its end, or kills it at its timeout. A failed hook is an outcome; a failed Result is our own
 * failure.
 */
export interface HookRunner {
  run(hook: Hook, context: HookContext, signal: AbortSignal): Promise<Result<HookOutcome>>
}
