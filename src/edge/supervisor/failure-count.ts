import type { InstanceFailure } from '../counts/index.ts'

/**
 * Which failures of an instance count against its release. Its first start may fail once, as when a dependency is not
 * up yet: that counts only if the same instance fails again, and then with it.
 */
export class FailureCount {
  readonly #tell: (failure: InstanceFailure) => void
  #heldBack: InstanceFailure | null = null

  constructor(tell: (failure: InstanceFailure) => void) {
    this.#tell = tell
  }

  /** `isFirstStart`: it was never healthy so far, and no process of it ended before. */
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
