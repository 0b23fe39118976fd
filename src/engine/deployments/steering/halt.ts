/**
 * Decides whether work that started before an emergency may still act. An emergency halts at once, in the middle of
 * whatever is awaited. Everyone who acts on a service takes a permit first and does everything through it, so no step
 * has to remember to ask.
 */
export class Halt {
  #count = 0

  /** A permit for work that starts now. */
  permit(): Permit {
    const given = this.#count
    return new Permit(() => given !== this.#count)
  }

  /** Revokes all permits given so far. */
  now(): void {
    this.#count += 1
  }
}

/** Permission to act until the next emergency. */
export class Permit {
  readonly #isRevoked: () => boolean

  constructor(isRevoked: () => boolean) {
    this.#isRevoked = isRevoked
  }

  get isRevoked(): boolean {
    return this.#isRevoked()
  }

  /** Runs the steps in order, none after an emergency. Returns whether the permit still holds. */
  async through(steps: readonly (() => unknown)[]): Promise<boolean> {
    for (const step of steps) {
      if (this.isRevoked) return false
      await step()
    }
    return !this.isRevoked
  }

  /** Makes the call unless an emergency has come since, then null. The check and the call happen in the same tick. */
  async call<T>(act: () => Promise<T>): Promise<T | null> {
    return this.isRevoked ? null : act()
  }
}
