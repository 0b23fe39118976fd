import type { IncomingMessage } from 'node:http'
import type { Routing, Weights } from '../../contract/index.ts'
import { balancerOf, pointIn, pointOf, releaseAt, ReleaseSplit, type Balancer } from '../balancing/index.ts'
import type { EdgeRng } from '../clock.ts'
import type { Gate } from '../guards/gate.ts'
import type { Fleet } from '../supervisor/fleet.ts'
import type { Instance } from '../supervisor/instance.ts'
import type { Traffic } from '../traffic.ts'
import { cookieOf } from './headers.ts'

/** Carries the point of a client that stays with its release. */
export const stickyCookie = 'pilothouse_split'

export interface Route {
  instance: Instance
  /** To be set as the cookie of a client that had none; null otherwise. */
  newPoint: number | null
}

/** Chooses the release, then the instance, of each request of one service. */
export class RequestRouter {
  readonly #fleet: Fleet
  readonly #gate: Gate
  readonly #rng: EdgeRng
  readonly #split: ReleaseSplit
  readonly #balancers = new Map<string, Balancer>()
  #routing: Routing
  #traffic: Traffic | null = null

  constructor(fleet: Fleet, gate: Gate, rng: EdgeRng, routing: Routing) {
    this.#fleet = fleet
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

  /** Where a request goes. Null when nobody can take it. */
  route(request: IncomingMessage, client: string): Route | null {
    const traffic = this.#traffic?.record
    if (!traffic) return null
    const chosen = this.#chosenBy(request)
    if (chosen !== undefined) {
      const instance = this.#instanceOf(chosen, client, null)
      if (instance) return { instance, newPoint: null }
    }
    const { releaseId, newPoint } = this.#split1(request, traffic.weights, traffic.fallbackReleaseId)
    if (releaseId === undefined) return null
    const instance = this.#instanceOf(releaseId, client, null) ?? this.#spill(releaseId, client)
    return instance ? { instance, newPoint } : null
  }

  /**
   * Where a request goes that did not get through at any of `tried`, the last of which was `before`. From the
   * candidate it goes to the fallback and from the fallback never to the candidate: whoever was not to meet the
   * candidate does not, and whoever met it does not meet it twice. Without a fallback that runs it stays with its
   * release. `before` itself, on a new connection, when it `mayRepeat` and nobody else is left.
   */
  reroute(
    before: Instance,
    client: string,
    tried: ReadonlySet<Instance>,
    mayRepeat: boolean,
  ): Instance | null {
    const fallbackId = this.#traffic?.record.fallbackReleaseId ?? null
    const hasFallback = fallbackId !== null && this.#fleet.usable(fallbackId).length > 0
    const nextId = hasFallback ? fallbackId : before.releaseId
    const next = this.#instanceOf(nextId, client, tried)
    if (next) return next
    const isSame = this.#fleet.usable(nextId).includes(before) && this.#gate.allows(nextId)
    return mayRepeat && isSame ? before : null
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
    return this.#fleet.candidateOf(record.fallbackReleaseId)
  }

  /** Of another release that has a share, when the one chosen cannot take the request. */
  #spill(failedId: string, client: string): Instance | null {
    const others = Object.entries(this.#traffic?.record.weights ?? {})
      .filter(([id, weight]) => weight > 0 && id !== failedId)
      .sort(([, a], [, b]) => b - a)
    for (const [id] of others) {
      const instance = this.#instanceOf(id, client, null)
      if (instance) return instance
    }
    return null
  }

  #instanceOf(releaseId: string, client: string, tried: ReadonlySet<Instance> | null): Instance | undefined {
    if (!this.#gate.allows(releaseId)) return undefined
    const usable = this.#fleet.usable(releaseId)
    let balancer = this.#balancers.get(releaseId)
    if (!balancer) {
      balancer = balancerOf(this.#routing.balancing, this.#rng)
      this.#balancers.set(releaseId, balancer)
    }
    if (!tried) return balancer.pick(usable, client)
    return balancer.pick(
      usable.filter((instance) => !tried.has(instance)),
      client,
    )
  }
}
