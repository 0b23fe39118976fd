/** Envoy's defaults (outlier detection): failures in a row that eject, and for how long, times the ejections so far. */
const consecutiveFailures = 5
const baseMs = 30_000
const longestMs = 300_000
/** Share of the instances of a release that may be ejected at a time; one at least, the last never. */
const maxShare = 0.1

/** Whether one more of `count` instances may be ejected, of which `ejected` are and `usable` still take requests. */
export const mayEject = (count: number, ejected: number, usable: number): boolean =>
  usable > 1 && ejected < Math.max(1, Math.floor(count * maxShare))

/**
 * What requests tell about an instance. Weight falls with each failure and creeps back by an eighth with each
 * success, so that a failing instance gets less before it is ejected, and one that returns is not flooded. A good
 * health check gives an eighth back, too: what gets no requests at all could never show that it is well again.
 */
export class PassiveHealth {
  #failures = 0
  #ejections = 0
  weight = 1

  /** True when the instance has failed often enough in a row to be ejected. */
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

  /** An eighth of the weight comes back; failures in a row are forgotten by a success only. */
  recover(): void {
    this.weight = Math.min(1, this.weight + 0.125)
  }

  /** Notes an ejection and gives its length, ms. */
  eject(): number {
    this.#failures = 0
    this.#ejections += 1
    return Math.min(longestMs, baseMs * this.#ejections)
  }

  get failures(): number {
    return this.#failures
  }
}
