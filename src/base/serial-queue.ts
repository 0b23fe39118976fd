/** Runs one piece of work at a time, in the order in which it was added. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` when all work added before has ended, whether it failed or not. Gives its outcome. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  /** Resolves when all work added so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
