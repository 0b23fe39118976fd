import type { Clock, Rng } from '../../base/index.ts'
import type { Guards } from '../../contract/index.ts'
import { AddressList } from './address-list.ts'
import { Breaker, type AttemptEnd, type Circuit } from './breaker.ts'
import { RateLimit } from './rate-limit.ts'
import { isShed } from './shedding.ts'

export interface GuardRefusal {
  status: number
  text: string
  retryAfterSeconds?: number
}

/** The guards of one service, in the order in which a request meets them. */
export class Gate {
  readonly #clock: Clock
  readonly #rng: Rng
  #guards: Guards
  #allow: AddressList | null = null
  #rate: RateLimit | null = null
  readonly #breakers = new Map<string, Breaker>()

  constructor(clock: Clock, rng: Rng, guards: Guards) {
    this.#clock = clock
    this.#rng = rng
    this.#guards = guards
    this.set(guards)
  }

  get guards(): Guards {
    return this.#guards
  }

  /** Counting begins anew where settings have changed. Throws BAD_INPUT and changes nothing. */
  set(guards: Guards): void {
    this.#allow = guards.lockdown && new AddressList(guards.lockdown.allow)
    if (!this.#rate || JSON.stringify(guards.rateLimit) !== JSON.stringify(this.#guards.rateLimit))
      this.#rate = guards.rateLimit && new RateLimit(guards.rateLimit)
    if (JSON.stringify(guards.breaker) !== JSON.stringify(this.#guards.breaker)) this.#breakers.clear()
    this.#guards = guards
  }

  /** Why a request is not served; null when it is. */
  refuse(client: string, priority: string | undefined): GuardRefusal | null {
    if (this.#allow && !this.#allow.has(client)) return { status: 403, text: 'This service is locked down.' }
    const waitMs = this.#rate?.take(client, this.#clock.monotonicMs()) ?? 0
    if (waitMs > 0)
      return { status: 429, text: 'Too many requests.', retryAfterSeconds: Math.ceil(waitMs / 1000) }
    if (this.#guards.shedding && isShed(this.#guards.shedding, priority, this.#rng.next()))
      return { status: 503, text: 'Load is being shed.', retryAfterSeconds: 1 }
    return null
  }

  /** Whether the circuit of a release lets a request through. */
  allows(releaseId: string): boolean {
    if (this.isHeldOpen(releaseId)) return false
    return this.#breakers.get(releaseId)?.allows(this.#clock.monotonicMs()) ?? true
  }

  /** Whether a person or an action keeps the circuit of a release open. */
  isHeldOpen(releaseId: string): boolean {
    return this.#guards.openCircuits.includes(releaseId)
  }

  /** An attempt begins; gives what its end has to name. */
  begin(releaseId: string): number {
    if (!this.#guards.breaker) return 0
    let breaker = this.#breakers.get(releaseId)
    if (!breaker) {
      breaker = new Breaker(this.#guards.breaker)
      this.#breakers.set(releaseId, breaker)
    }
    return breaker.begin(this.#clock.monotonicMs())
  }

  end(releaseId: string, era: number, how: AttemptEnd): void {
    this.#breakers.get(releaseId)?.end(era, how, this.#clock.monotonicMs())
  }

  circuits(): Record<string, Circuit> {
    const now = this.#clock.monotonicMs()
    const circuits: Record<string, Circuit> = {}
    for (const [id, breaker] of this.#breakers) circuits[id] = breaker.circuit(now)
    for (const id of this.#guards.openCircuits) circuits[id] = 'open'
    return circuits
  }
}
