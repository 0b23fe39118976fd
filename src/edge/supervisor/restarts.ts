import type { Restart } from '../../contract/index.ts'

/** Counts the restarts of an instance, and its consecutive failures. */
export class Restarts {
  count = 0
  last: Restart | null = null
  /** Consecutive processes that ended before they had proven themselves. */
  #failures = 0
  /** Consecutive ends for exceeding the memory limit. */
  #overLimits = 0

  /**
   * Counts for an instance that replaces one with `earlier` restarts; one that was over its limit continues its count.
   */
  follow(earlier: Restarts, isProven: boolean, restart: Restart): void {
    this.count = earlier.count + 1
    this.last = restart
    if (earlier.#overLimits === 0) return
    this.#failures = isProven ? 1 : earlier.#failures + 1
    this.#overLimits = isProven ? 1 : earlier.#overLimits
  }

  restarted(restart: Restart): void {
    this.count += 1
    this.last = restart
  }

  /** Counts a process over its memory limit. Returns how many were consecutive. */
  overLimit(isProven: boolean): number {
    this.#overLimits = isProven ? 1 : this.#overLimits + 1
    return this.#overLimits
  }

  /** Counts a process that ended for another reason than its memory. */
  endedOtherwise(): void {
    this.#overLimits = 0
  }

  /**
   * Counts a process that ended. Returns the consecutive number that ended before they had proven themselves,
   * including this one.
   */
  failed(isProven: boolean): number {
    this.#failures = isProven ? 1 : this.#failures + 1
    return this.#failures
  }
}
