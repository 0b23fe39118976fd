import type { InstanceFailure } from '../counts/index.ts'

/**
 * Counts failures of an instance against its release. Its first start may fail once, for example because a dependency
 * is not up yet: that failure counts only if the same instance fails again, and then both count.
 */
export class FailureCount {
  readonly #tell: (failure: InstanceFailure) => void
  #heldBack: InstanceFailure | null = null

  constructor(tell: (failure: InstanceFailure) => void) {
    this.#tell = tell
  }

  /** `isFirstStart`: whether it was never healthy and none of its processes ended before. */
  failed(failure: InstanceFailure, isFirstStart: boolean): void {
    if (isFirstStart && this.#heldBack === null) {
      this.#heldBack = failure
      return
    }
    if (this.#heldBack !== null) this.#tell(this.#heldBack)
    this.#heldBack = null
    this.#tell(failure)
  }
}
