/**
 * Envoy's defaults (outlier detection): how many consecutive failures eject, and for how long, multiplied by the
 * number of ejections so far.
 */
const consecutiveFailures = 5
const baseMs = 30_000
const longestMs = 300_000
/** Share of a release's instances that may be ejected at a time: at least one, but never the last. */
const maxShare = 0.1

/**
 * Whether one more of `count` instances may be ejected, when `ejected` already are and `usable` still take requests.
 */
export const mayEject = (count: number, ejected: number, usable: number): boolean =>
  usable > 1 && ejected < Math.max(1, Math.floor(count * maxShare))

/**
 * Tracks an instance's health from its requests. Its weight falls with each failure and recovers by an eighth with
 * each success, so a failing instance gets less traffic before it is ejected, and a returning one is not flooded. A
 * good health check also gives an eighth back, because an instance without requests could never show that it has
 * recovered.
 */
export class PassiveHealth {
  #failures = 0
  #ejections = 0
  weight = 1

  /** Whether the instance has enough consecutive failures to be ejected. */
  record(isFailure: boolean): boolean {
    if (!isFailure) {
      this.#failures = 0
      this.recover()
      return false
    }
    this.#failures += 1
    this.weight = Math.max(0.125, this.weight / 2)
    return this.#failures >= consecutiveFailures
  }

  /** Restores an eighth of the weight; only a successful request resets the consecutive failures. */
  recover(): void {
    this.weight = Math.min(1, this.weight + 0.125)
  }

  /** Records an ejection and returns its length, ms. */
  eject(): number {
    this.#failures = 0
    this.#ejections += 1
    return Math.min(longestMs, baseMs * this.#ejections)
  }

  get failures(): number {
    return this.#failures
  }
}
