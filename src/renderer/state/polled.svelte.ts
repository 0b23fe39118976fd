import { failureOf, type Failure } from './failure.ts'

/**
 * A value that is asked for again and again while somebody looks: never two calls at once, none while the page is
 * hidden. The last value stays when a call fails; `failure` then says why it is old.
 */
export class Polled<T> {
  #load: () => Promise<T>
  #value = $state.raw<T>()
  #failure = $state.raw<Failure>()
  #atMs = $state(0)
  #turn = 0

  constructor(load: () => Promise<T>) {
    this.#load = load
  }

  get value(): T | undefined {
    return this.#value
  }
  /** Why the newest call failed; undefined when it did not. */
  get failure(): Failure | undefined {
    return this.#failure
  }
  /** This page's time at which the value came; 0 for never. */
  get atMs(): number {
    return this.#atMs
  }

  /** Asks at once and then every `everyMs` until the result is called. */
  start(everyMs: number): () => void {
    const turn = ++this.#turn
    let timer: ReturnType<typeof setTimeout> | undefined
    let isBusy = false
    const ask = async () => {
      clearTimeout(timer)
      if (document.hidden || isBusy) return
      isBusy = true
      await this.#ask(() => turn === this.#turn)
      isBusy = false
      if (turn === this.#turn) timer = setTimeout(() => void ask(), everyMs)
    }
    const seen = () => void ask()
    document.addEventListener('visibilitychange', seen)
    void ask()
    return () => {
      if (turn === this.#turn) this.#turn += 1
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }

  async #ask(isWanted: () => boolean): Promise<void> {
    try {
      const value = await this.#load()
      if (!isWanted()) return
      this.#value = value
      this.#failure = undefined
      this.#atMs = Date.now()
    } catch (error) {
      if (isWanted()) this.#failure = failureOf(error)
    }
  }
}
