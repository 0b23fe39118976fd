import { failureOf, type CallFailure } from './failure.ts'

export interface ResourceOptions {
  /** The answer to another question stays, marked as old, until its own is there; else it goes at once. */
  keepsOld?: boolean
}

/**
 * What the engine answers to a question. The latest question wins: an answer to an earlier one is dropped. The last
 * answer stays while the same is asked again and when that fails; `isOld` then says so and `failure` why.
 */
export class Resource<Question, Answer> {
  #load: (question: Question) => Promise<Answer>
  #keepsOld: boolean
  #answer = $state.raw<{ value: Answer; key: string; atMs: number }>()
  #failure = $state.raw<CallFailure>()
  #isBusy = $state(false)
  #key = $state<string>()
  /** Grows when what was asked is of interest no more. */
  #turn = 0
  #following: (() => void) | undefined
  #again: (() => void) | undefined

  constructor(load: (question: Question) => Promise<Answer>, { keepsOld = false }: ResourceOptions = {}) {
    this.#load = load
    this.#keepsOld = keepsOld
  }

  get value(): Answer | undefined {
    return this.#answer?.value
  }
  /** Why the newest question was not answered; undefined when it was, or is about to be. */
  get failure(): CallFailure | undefined {
    return this.#failure
  }
  get isBusy(): boolean {
    return this.#isBusy
  }
  /** This page's time at which the value came; 0 for never. */
  get atMs(): number {
    return this.#answer?.atMs ?? 0
  }
  /** The value is older than the question: the engine did not answer again, or answered another question. */
  get isOld(): boolean {
    const answer = this.#answer
    return answer !== undefined && (this.#failure !== undefined || answer.key !== this.#key)
  }

  /**
   * Asks at once, and every `everyMs` after an answer if that is given, until the result is called. Never two calls at
   * once for one question; while the page is hidden, none is repeated.
   */
  start(question: Question, everyMs?: number): () => void {
    this.#following?.()
    this.#pose(question)
    const turn = ++this.#turn
    const isWanted = () => turn === this.#turn
    let timer: ReturnType<typeof setTimeout> | undefined
    let isAsking = false
    const ask = async () => {
      clearTimeout(timer)
      if (isAsking) return
      isAsking = true
      await this.#ask(question, isWanted)
      isAsking = false
      if (isWanted() && everyMs !== undefined) timer = setTimeout(repeat, everyMs)
    }
    const repeat = () => {
      if (!isHidden()) void ask()
    }
    if (everyMs !== undefined) globalThis.document?.addEventListener('visibilitychange', repeat)
    const stop = () => {
      clearTimeout(timer)
      globalThis.document?.removeEventListener('visibilitychange', repeat)
      if (!isWanted()) return
      this.#turn += 1
      this.#isBusy = false
      this.#following = undefined
      this.#again = undefined
    }
    this.#following = stop
    this.#again = () => void ask()
    if (everyMs === undefined) void ask()
    else repeat()
    return stop
  }

  /** Asks the present question once more: a person wants to, after a failure. */
  retry(): void {
    this.#again?.()
  }

  #pose(question: Question): void {
    const key = JSON.stringify(question)
    if (key === this.#key) return
    this.#key = key
    this.#failure = undefined
    if (!this.#keepsOld) this.#answer = undefined
  }

  async #ask(question: Question, isWanted: () => boolean): Promise<void> {
    const key = JSON.stringify(question)
    this.#isBusy = true
    try {
      const value = await this.#load(question)
      if (!isWanted()) return
      this.#answer = { value, key, atMs: Date.now() }
      this.#failure = undefined
    } catch (error) {
      if (isWanted()) this.#failure = failureOf(error)
    }
    if (isWanted()) this.#isBusy = false
  }
}

const isHidden = (): boolean => globalThis.document?.hidden ?? false
