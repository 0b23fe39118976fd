import type { Result } from '../../base/index.ts'
import type { Actor, Bin, Instance, Release, ServiceDefinition, Weights } from '../../contract/index.ts'

/** Copies of one release that shall run. */
export interface EnsureRequest {
  service: string
  release: Release
  /** How many, in all: more are started, surplus ones are drained and stopped. */
  instances: number
  /** The same key asks for the same thing again: it is done once. */
  key: string
}

export interface RemoveRequest {
  service: string
  releaseId: string
  /** Only while this request was the last to ask for instances of it; whatever was asked last where it is left out. */
  askedBy?: string
  key: string
}

/** Instances to restart; all of the service unless narrowed. */
interface RestartRequest {
  service: string
  releaseId?: string
  instanceId?: string
  /** Who asks. */
  by: Actor
}

/** What a target says that runs, of one service. */
export interface TargetReport {
  instances: readonly Instance[]
  /** Copies asked for, by release; a removed release is absent, though its instances may still drain. */
  wanted: Readonly<Record<string, number>>
  /** Key of the request that asked for them last, by release; left out by targets that do not tell. */
  askedBy?: Readonly<Record<string, string>>
  /** Why the service does not listen at its address, where the target knows; empty while it does. */
  listenTrouble?: string
  /** What the target cannot keep on its disk now: a restart of it would forget what changes. Empty while it can. */
  trouble?: string
}

interface LogsRequest {
  service: string
  releaseId?: string
  instanceId?: string
  /** Newest this many. */
  lines: number
}

export interface TargetLogLine {
  atMs: number
  instanceId: string
  releaseId: string
  stream: 'stdout' | 'stderr'
  /** Hostile text: whatever the instance printed, cut at 8 kB. */
  text: string
}

/**
 * Port: where instances run. A target keeps what it was asked for running by itself, the engine alive or not. Calls
 * resolve when the desired state is stored, not when it is reached: `observe` shows how far it is. All are idempotent. Failures
 * are UNAVAILABLE and TIMEOUT (nobody answered; it may or may not have happened), NOT_FOUND (service not declared),
 * BAD_INPUT (a release that it cannot run).
 */
export interface Target {
  /** Makes the service known, or changes its definition; instances are not touched. */
  declare(definition: ServiceDefinition): Promise<Result<void>>
  ensure(request: EnsureRequest): Promise<Result<void>>
  observe(service: string): Promise<Result<TargetReport>>
  /**
   * Drains the instances of a release within the service's `drainMs`, then stops them. Of none, and of those that another
   * request has asked for since: does nothing. A removal that arrives late thus never hits a release that is deployed again.
   */
  remove(request: RemoveRequest): Promise<Result<void>>
  /** The service ends: its instances are drained and stopped. Of one that is not known: does nothing. */
  withdraw(service: string): Promise<Result<void>>
  /**
   * Restarts instances one at a time: each stops when its replacement is healthy. Resolves when that has begun, with the
   * instances in their order. NOT_FOUND when no instance is meant.
   */
  restart(request: RestartRequest): Promise<Result<{ instanceIds: string[] }>>
  /** Newest last. */
  logs(request: LogsRequest): Promise<Result<TargetLogLine[]>>
}

/** How a router splits a service's traffic, read back from what serves requests, never repeated from a request. */
export interface RouterReport {
  /** Percent by release; releases at 0 may be left out; empty when nothing is routed. */
  weights: Weights
  /** Where an emergency sends all traffic. */
  fallbackReleaseId: string | null
  /** Grows with each change of weights or fallback, whoever makes it; survives a restart of the router. */
  revision: number
  /** Of the change that set these weights; empty when nobody has. */
  key: string
  /** Set by `emergency` until a change ends it. */
  emergency: { key: string; atMs: number } | null
  /** In the answer to a change: false when it holds, and a restart of the router would forget it. */
  isKept?: boolean
}

export interface SetWeightsRequest {
  service: string
  /** Together 100, or all 0 where a service shall have no traffic. */
  weights: Weights
  fallbackReleaseId: string | null
  /** Of the report that the decision rests on. */
  expectedRevision: number
  /** A key that was done already changes nothing and gives the report of now: the caller compares the weights. */
  key: string
  /** Allowed only with this while an emergency stands: a person has resumed automation. */
  endsEmergency: boolean
}

export interface EmergencyOrder {
  service: string
  key: string
  /** Left out: the fallback that the router keeps. */
  toReleaseId?: string
}

/** Bins of a service in the order of their time, and where to go on from. */
export interface BinPage {
  bins: Bin[]
  /** To be given to the next call; stays valid over a restart of the router. */
  cursor: string
}

/**
 * Port: what splits a service's traffic between releases. A change holds for every request that arrives after its
 * call has resolved, raises the new before it lowers the old, and drops no request in flight. The share of a release
 * grows only while an instance of it is healthy: otherwise a change is refused as NO_HEALTHY_INSTANCE and nothing moves.
 * Other failures: CONFLICT (another revision, or an emergency stands), UNAVAILABLE and TIMEOUT (nobody answered; it
 * may or may not have happened), NOT_FOUND (service not declared).
 *
 * A router that is not also the target finds a release's instances through the target it was built with.
 */
export interface Router {
  /** Makes the service known, or changes its definition; weights are not touched. Gives where it listens. */
  declare(definition: ServiceDefinition): Promise<Result<{ address: string }>>
  read(service: string): Promise<Result<RouterReport>>
  /** No more requests are taken for the service. Of one that is not known: does nothing. */
  withdraw(service: string): Promise<Result<void>>
  set(request: SetWeightsRequest): Promise<Result<RouterReport>>
  /**
   * All traffic of each service to its fallback, at once, whatever the revision: the shortest path there is. One result an order,
   * in their order; one that fails does not hold up the others. A second order with the same key changes nothing.
   */
  emergency(orders: readonly EmergencyOrder[]): Promise<Result<RouterReport>[]>
  /** What was counted since `cursor` (null: all that is kept), at most one bin a release and second, and one while requests are in flight. */
  bins(service: string, cursor: string | null): Promise<Result<BinPage>>
}
