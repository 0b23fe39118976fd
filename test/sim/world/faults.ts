import { AppError, fail, type Result } from '../../../src/base/index.ts'
import { type ErrorCode } from '../../../src/contract/index.ts'
import type { SimClock } from './sim-clock.ts'

export type Part = 'router' | 'target' | 'store' | 'judge' | 'validator' | 'hooks'

/** What befalls one call of a part. */
export type Fault =
  /** Never gets there. */
  | { kind: 'refused' }
  /** It is done, and the answer is lost. */
  | { kind: 'lost' }
  /** It gets there, and is answered, this much later. */
  | { kind: 'slow'; byMs: number }
  /** The engine is killed before it is done, or when it is done and not yet answered. */
  | { kind: 'killBefore' }
  | { kind: 'killAfter' }

const codes: Record<Part, ErrorCode> = {
  router: 'UNAVAILABLE',
  target: 'UNAVAILABLE',
  store: 'STORE_BUSY',
  judge: 'UNAVAILABLE',
  validator: 'UNAVAILABLE',
  hooks: 'UNAVAILABLE',
}

/** How one engine reaches the world. */
export interface Wire {
  call<T>(part: Part, call: string, act: () => Result<T>): Promise<Result<T>>
}

/** Stands between engines and the world. `choose` is asked for each call. */
export class Faults {
  readonly #clock: SimClock
  choose: (part: Part, call: string) => Fault | null = () => null
  /** Kills the engine that made the call. */
  kill: () => void = () => undefined
  /** Every call in its order, for a trace of a failed run. */
  readonly trace: string[] = []
  isTraced = false

  constructor(clock: SimClock) {
    this.#clock = clock
  }

  /** For one engine: once it is killed nothing of it hears or does anything, though what it has sent still arrives. */
  wire(isAlive: () => boolean): Wire {
    return {
      call: async (part, call, act) => {
        if (!isAlive()) return never()
        const answer = await this.#call(part, call, act)
        return isAlive() ? answer : never()
      },
    }
  }

  async #call<T>(part: Part, call: string, act: () => Result<T>): Promise<Result<T>> {
    const fault = this.choose(part, call)
    if (this.isTraced)
      this.trace.push(`${this.#clock.monotonicMs()} ${call}${fault ? ` !${fault.kind}` : ''}`)
    const refuse = (text: string): Result<T> => fail(new AppError(codes[part], `The ${part} ${text}`))
    switch (fault?.kind) {
      case undefined:
        return act()
      case 'refused':
        return refuse('refused the connection')
      case 'lost':
        act()
        return refuse('broke the connection')
      case 'slow':
        await this.#wait(fault.byMs)
        return act()
      case 'killBefore':
        this.kill()
        return never()
      case 'killAfter':
        act()
        this.kill()
        return never()
    }
  }

  /** Time of the world, which outlives the engine: what is on its way arrives. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, resolve))
  }
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)
