import type { IncomingMessage } from 'node:http'
import type { Rng } from '../../base/index.ts'
import type { Routing, Weights } from '../../contract/index.ts'
import {
  balancerOf,
  pointIn,
  pointOf,
  releaseAt,
  ReleaseSplit,
  type Balancer,
  type Traffic,
} from '../balancing/index.ts'
import type { Gate } from '../guards/index.ts'
import type { InstanceSet, Instance } from '../supervisor/index.ts'
import { cookieOf } from './headers.ts'

/** Carries the point of a client that stays with its release. */
export const stickyCookie = 'pilothouse_split'

export interface Route {
  instance: Instance
  /** To be set as the cookie of a client that had none; null otherwise. */
  newPoint: number | null
  /** The release that the request was meant for, when it could not take it and another one does. */
  divertedFrom: string | null
}

/** Nobody takes the request: `all full` when instances are there and each has as many requests as it may. */
export interface Unserved {
  why: 'no instance' | 'all full'
  /** The release that it was meant for; null when the service has none. */
  releaseId: string | null
}

/** Chooses the release, then the instance, of each request of one service. */
export class RequestRouter {
  readonly #instanceSet: InstanceSet
  readonly #gate: Gate
  readonly #rng: Rng
  readonly #split: ReleaseSplit
  readonly #balancers = new Map<string, Balancer>()
  #routing: Routing
  #traffic: Traffic | null = null

  constructor(instanceSet: InstanceSet, gate: Gate, rng: Rng, routing: Routing) {
    this.#instanceSet = instanceSet
    this.#gate = gate
    this.#rng = rng
    this.#split = new ReleaseSplit(rng)
    this.#routing = routing
  }

  follow(traffic: Traffic): void {
    this.#traffic = traffic
    this.setWeights(traffic.record.weights)
  }

  setWeights(weights: Weights): void {
    this.#split.set(weights)
  }

  setRouting(routing: Routing): void {
    if (routing.balancing !== this.#routing.balancing) this.#balancers.clear()
    this.#routing = routing
  }

  /** Where a request goes, or why nobody takes it. An overloaded release does not pass its load on to another one. */
  route(request: IncomingMessage, client: string): Route | Unserved {
    const traffic = this.#traffic?.record
    if (!traffic) return { why: 'no instance', releaseId: null }
    const chosen = this.#chosenBy(request)
    if (chosen !== undefined) {
      const instance = this.#instanceOf(chosen, client, null)
      if (instance === 'all full') return { why: instance, releaseId: chosen }
      if (instance) return { instance, newPoint: null, divertedFrom: null }
    }
    const { releaseId, newPoint } = this.#split1(request, traffic.weights, traffic.fallbackReleaseId)
    if (releaseId === undefined) return { why: 'no instance', releaseId: traffic.fallbackReleaseId }
    const instance = this.#instanceOf(releaseId, client, null)
    if (instance === 'all full') return { why: instance, releaseId }
    if (instance) return { instance, newPoint, divertedFrom: null }
    const other = this.#spill(releaseId, client)
    if (!other) return { why: 'no instance', releaseId }
    // What a person has taken out of the split says nothing about the release.
    return { instance: other, newPoint, divertedFrom: this.#gate.isHeldOpen(releaseId) ? null : releaseId }
  }

  /**
   * Picks the instance for a retry. `tried` holds the instances that failed, `before` the last of them. A retry may move
   * from candidate to fallback, never the other way. After a stale connection, which says nothing about the release, it
   * stays with the release once, at another instance or on another connection to `before`.
   */
  reroute(
    before: Instance,
    client: string,
    tried: ReadonlySet<Instance>,
    isStale: boolean,
    isFirst: boolean,
  ): Instance | null {
    const ofSameRelease = isStale && isFirst ? this.#again(before, before.releaseId, client, tried) : null
    if (ofSameRelease) return ofSameRelease
    const fallbackId = this.#traffic?.record.fallbackReleaseId ?? null
    const hasFallback = fallbackId !== null && this.#instanceSet.usable(fallbackId).length > 0
    const nextId = hasFallback ? fallbackId : before.releaseId
    if (isStale) return this.#again(before, nextId, client, tried)
    const next = this.#instanceOf(nextId, client, tried)
    return next === 'all full' ? null : (next ?? null)
  }

  /** An instance of the release that was not tried, or `before` when there is none. */
  #again(before: Instance, releaseId: string, client: string, tried: ReadonlySet<Instance>): Instance | null {
    const next = this.#instanceOf(releaseId, client, tried)
    if (next && next !== 'all full') return next
    const isSame = this.#instanceSet.usable(releaseId).includes(before) && this.#gate.allows(releaseId)
    return isSame ? before : null
  }

  #split1(
    request: IncomingMessage,
    weights: Weights,
    fallbackId: string | null,
  ): { releaseId: string | undefined; newPoint: number | null } {
    if (!this.#routing.isSticky) return { releaseId: this.#split.pick(), newPoint: null }
    const sent = pointOf(cookieOf(request.headers.cookie, stickyCookie))
    if (sent !== null) return { releaseId: releaseAt(sent, weights, fallbackId), newPoint: null }
    const releaseId = this.#split.pick()
    if (releaseId === undefined) return { releaseId, newPoint: null }
    return { releaseId, newPoint: pointIn(releaseId, this.#rng.next(), weights, fallbackId) }
  }

  /** The candidate, for a request that asks for it. An emergency leaves the candidate no request at all. */
  #chosenBy({ headers }: IncomingMessage): string | undefined {
    const { candidateHeader, candidateCookie } = this.#routing
    const isChosen =
      (candidateHeader && headers[candidateHeader.name.toLowerCase()] === candidateHeader.value) ||
      (candidateCookie && cookieOf(headers.cookie, candidateCookie.name) === candidateCookie.value)
    const record = this.#traffic?.record
    if (!isChosen || !record || record.emergency) return undefined
    return this.#instanceSet.candidateOf(record.fallbackReleaseId)
  }

  /** Of another release that has a share, when the one chosen cannot take the request. */
  #spill(failedId: string, client: string): Instance | null {
    const others = Object.entries(this.#traffic?.record.weights ?? {})
      .filter(([id, weight]) => weight > 0 && id !== failedId)
      .sort(([, a], [, b]) => b - a)
    for (const [id] of others) {
      const instance = this.#instanceOf(id, client, null)
      if (instance && instance !== 'all full') return instance
    }
    return null
  }

  #instanceOf(
    releaseId: string,
    client: string,
    tried: ReadonlySet<Instance> | null,
  ): Instance | 'all full' | undefined {
    if (!this.#gate.allows(releaseId)) return undefined
    const usable = this.#instanceSet.usable(releaseId)
    let balancer = this.#balancers.get(releaseId)
    if (!balancer) {
      balancer = balancerOf(this.#routing.balancing, this.#rng)
      this.#balancers.set(releaseId, balancer)
    }
    const open = tried ? usable.filter((instance) => !tried.has(instance)) : usable
    const picked = balancer.pick(open, client)
    if (!picked || picked.hasRoom) return picked
    const withRoom = open.filter(({ hasRoom }) => hasRoom)
    return withRoom.length > 0 ? balancer.pick(withRoom, client) : 'all full'
  }
}
