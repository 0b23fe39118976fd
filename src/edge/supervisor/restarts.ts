import type { Restart } from '../../contract/index.ts'

/** How often an instance was restarted, and what in a row came to nothing. */
export class Restarts {
  count = 0
  last: Restart | null = null
  /** Processes in a row that ended before they had proven themselves. */
  #failures = 0
  /** Ends in a row for being over the memory limit. */
  #overLimits = 0

  /** Of an instance that takes the place of one with `earlier` restarts; one that was over its limit goes on counting. */
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

  /** A process is over its memory limit. Gives how often in a row. */
  overLimit(isProven: boolean): number {
    this.#overLimits = isProven ? 1 : this.#overLimits + 1
    return this.#overLimits
  }

  /** A process ended for another reason than its memory. */
  endedOtherwise(): void {
    this.#overLimits = 0
  }

  /** A process ended. Gives how many in a row did before they had proven themselves, this one included. */
  failed(isProven: boolean): number {
    this.#failures = isProven ? 1 : this.#failures + 1
    return this.#failures
  }
}
