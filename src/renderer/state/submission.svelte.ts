import { failureOf, type CallFailure } from './failure.ts'

/** One order to the engine at a time: whether it is in progress, and why the last one failed. */
export class Submission {
  #what = $state('')
  #failure = $state.raw<CallFailure>()
  #turn = 0

  get isBusy(): boolean {
    return this.#what !== ''
  }
  /** What is in progress; empty for nothing. */
  get what(): string {
    return this.#what
  }
  get failure(): CallFailure | undefined {
    return this.#failure
  }

  /** Runs `order` unless one is in progress. Its answer; undefined when it failed, was dropped or did not run. */
  async run<Answer>(order: () => Promise<Answer>, what = 'order'): Promise<Answer | undefined> {
    if (this.isBusy) return undefined
    const turn = ++this.#turn
    this.#what = what
    this.#failure = undefined
    try {
      const answer = await order()
      return turn === this.#turn ? answer : undefined
    } catch (error) {
      if (turn === this.#turn) this.#failure = failureOf(error)
      return undefined
    } finally {
      if (turn === this.#turn) this.#what = ''
    }
  }

  /** Forgets the failure, and the order in progress: its answer then belongs to nothing on screen. */
  drop(): void {
    this.#turn += 1
    this.#what = ''
    this.#failure = undefined
  }
}
