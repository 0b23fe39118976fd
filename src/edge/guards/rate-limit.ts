import type { Guards } from '../../contract/index.ts'

type Settings = NonNullable<Guards['rateLimit']>

/** Clients remembered; above it those that have spent nothing are forgotten. */
const maxKeys = 50_000

/**
 * GCRA, the leaky bucket as a meter (ITU-T I.371): one time a key says when its next request would be on time.
 * A burst may be early by `burst` requests.
 */
export class RateLimit {
  readonly #intervalMs: number
  readonly #toleranceMs: number
  readonly #perClient: boolean
  readonly #due = new Map<string, number>()

  constructor({ requestsPerSecond, burst, per }: Settings) {
    this.#intervalMs = 1000 / requestsPerSecond
    this.#toleranceMs = this.#intervalMs * (burst - 1)
    this.#perClient = per === 'client'
  }

  /** 0 when the request may pass, else the wait until it may, ms. */
  take(client: string, nowMs: number): number {
    const key = this.#perClient ? client : ''
    const due = Math.max(this.#due.get(key) ?? 0, nowMs)
    const earlyMs = due - nowMs
    // Sums of intervals are off by a rounding error.
    if (earlyMs > this.#toleranceMs + 1e-6) return earlyMs - this.#toleranceMs
    this.#due.set(key, due + this.#intervalMs)
    if (this.#due.size > maxKeys) this.#forget(nowMs)
    return 0
  }

  #forget(nowMs: number): void {
    for (const [key, due] of this.#due) if (due <= nowMs) this.#due.delete(key)
    // All are spending: the oldest go, so that memory stays bounded whoever comes.
    for (const key of this.#due.keys()) {
      if (this.#due.size <= maxKeys) break
      this.#due.delete(key)
    }
  }
}
