/**
 * Whether what began before an emergency may still act. An emergency halts at once, in the middle of whatever is awaited:
 * who acts on a service takes a permit first and does everything through it, so that no step needs to remember to ask.
 */
export class Halt {
  #count = 0

  /** For everything that begins now. */
  permit(): Permit {
    const given = this.#count
    return new Permit(() => given !== this.#count)
  }

  /** Permits given so far allow nothing any more. */
  now(): void {
    this.#count += 1
  }
}

/** Allows to act until the next emergency. */
export class Permit {
  readonly #isRevoked: () => boolean

  constructor(isRevoked: () => boolean) {
    this.#isRevoked = isRevoked
  }

  get isRevoked(): boolean {
    return this.#isRevoked()
  }

  /** Takes the steps in their order, none after an emergency. Gives whether the permit still holds. */
  async through(steps: readonly (() => unknown)[]): Promise<boolean> {
    for (const step of steps) {
      if (this.isRevoked) return false
      await step()
    }
    return !this.isRevoked
  }

  /** Makes the call, unless an emergency has come since; null then. The check and the call are one moment. */
  async call<T>(act: () => Promise<T>): Promise<T | null> {
    return this.isRevoked ? null : act()
  }
}
