import type { Result } from '../../base/index.ts'
import type {
  Bin,
  Deployment,
  DeploymentPhase,
  Hook,
  Plan,
  Release,
  ResourceLimits,
  Validation,
} from '../../contract/index.ts'
import type { AuditDraft, AuditStore } from '../audit/index.ts'
import type { JudgeMemory } from '../canary/index.ts'
import type { DeploymentEvent } from './events.ts'

/** What is on record of a service's declared number of instances. */
export interface Scaling {
  /** As declared last. A restarted engine compares it with what is declared now. */
  instances: number
  /** A change that the stable release has yet to follow, after the deployments that were open; null for none. */
  pending: { by: string; why: string; openIds: readonly string[] } | null
}

/** What the store holds of a service beside its configuration. */
export interface ServiceRecord {
  name: string
  stableReleaseId: string | null
  /** Copies of the stable release. */
  instances: number
  automationStopped: { by: string; atMs: number; reason: string } | null
  /** Null before a number of instances was declared. */
  scaling: Scaling | null
  /** Grows with each stored change. */
  revision: number
}

/** A service that was declared over the API, in the form in which it would stand in a config. */
export interface Declaration {
  service: string
  written: Readonly<Record<string, unknown>>
  by: string
  atMs: number
  /** From 1; grows with each change. */
  revision: number
  /** It is being removed: whoever finds it goes on with that. */
  isLeaving: boolean
}

export interface StoredEvent {
  deploymentId: string
  /** From 1 without a hole. */
  seq: number
  /** Wall time, for people. */
  atMs: number
  /** Time watched since the event before, ms, monotonic: restarts and suspends do not count. */
  elapsedMs: number
  event: DeploymentEvent
}

/** What belongs together: all of it is on disk when `commit` resolves, or none. */
export interface Commit {
  events: readonly StoredEvent[]
  /** As it stands after the events: what lists and screens read. */
  deployments: readonly Deployment[]
  services: readonly ServiceRecord[]
  releases: readonly Release[]
  /** Evidence, with the judge's memory after it and where to read on. */
  evidence: readonly EvidenceCommit[]
  audit: readonly AuditDraft[]
  /** Put in the place of those of the same services. */
  declarations?: readonly Declaration[]
  /** Services whose declarations go. */
  undeclared?: readonly string[]
}

export interface EvidenceCommit {
  deploymentId: string
  bins: readonly Bin[]
  memory: JudgeMemory | null
  /** Of the router's bins; a restart reads on from here. */
  cursor: string | null
}

/** A deployment that has not ended, with everything needed to go on. */
export interface OpenDeployment {
  events: readonly StoredEvent[]
  memory: JudgeMemory | null
  cursor: string | null
}

export interface DeploymentFilter {
  service?: string
  phases?: readonly DeploymentPhase[]
  releaseId?: string
  createdBy?: string
  /** Occurs in service, releases, reason or why. */
  text?: string
  fromMs?: number
  toMs?: number
  limit: number
  /** Only older than this one. */
  beforeId?: string
}

/**
 * Port: deployments, releases, evidence and audit at rest, on disk when a promise resolves. Failures are STORE_BUSY,
 * STORE_FULL, STORE_UNWRITABLE, STORE_CORRUPT; and CONFLICT when an event's place is taken, or a service is on record at
 * its new revision or a later one: somebody else writes.
 */
export interface DeploymentStore extends AuditStore, AsyncDisposable {
  commit(commit: Commit): Promise<Result<void>>
  services(): Promise<Result<ServiceRecord[]>>
  /** By name. */
  declarations(): Promise<Result<Declaration[]>>
  /** All that have not ended, oldest first. */
  open(): Promise<Result<OpenDeployment[]>>
  events(deploymentId: string): Promise<Result<StoredEvent[]>>
  deployment(id: string): Promise<Result<Deployment>>
  /** Newest first. */
  deployments(filter: DeploymentFilter): Promise<Result<Deployment[]>>
  release(service: string, id: string): Promise<Result<Release>>
  /** Newest first. */
  releases(service: string, limit: number): Promise<Result<Release[]>>
  bins(deploymentId: string): Promise<Result<Bin[]>>
  /** Adds minutes of a service's traffic, and drops those of all services that began before `fromMs`. */
  keepTraffic(service: string, minutes: readonly Bin[], fromMs: number): Promise<Result<void>>
  /** The minutes kept of a service, oldest first. */
  traffic(service: string): Promise<Result<Bin[]>>
}

export interface ValidationRequest {
  deploymentId: string
  service: string
  release: Release
  stableReleaseId: string | null
  plan: Plan
}

/**
 * Port: what of the hosts is fuller than `limits` allow, as a clause for a person; empty while there is room. What was
 * not measured is no reason to wait.
 */
export type HeadroomLook = (limits: ResourceLimits) => string

/** Port: the checks before a deployment. Within 5 minutes, whatever the checks do. */
export interface Validator {
  validate(request: ValidationRequest, signal: AbortSignal): Promise<Result<Validation>>
}

/** What a hook is told, as JSON or in its environment. */
export interface HookContext {
  /** The same for the same occasion: a hook that runs again after a crash can tell. */
  key: string
  deploymentId: string
  service: string
  candidateReleaseId: string
  stableReleaseId: string | null
  phase: Hook['phase']
  when: Hook['when']
  stepIndex: number | null
  weight: number
  /** How the deployment ends on its way back: a release that never had traffic was not deployed. Null on the way forward. */
  ending: 'rolled_back' | 'failed' | null
  /** Why the deployment is where it is: what it waits for, or why it went back. Never empty. */
  reason: string
  atMs: number
}

export interface HookOutcome {
  isSuccess: boolean
  /** Exit code, status or signal, as a sentence; of a script that failed with the last line it printed, secrets left out. */
  text: string
  /** What it printed, cut at 64 kB. */
  output: string
}

/**
 * Port: runs a hook to its end, or kills it at its timeout. A hook that fails is an outcome; a failed Result is ours.
 */
export interface HookRunner {
  run(hook: Hook, context: HookContext, signal: AbortSignal): Promise<Result<HookOutcome>>
}
