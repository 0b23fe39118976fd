import { AppError, type Clock } from '../../base/index.ts'
import { duration } from '../../contract/index.ts'
import { takenSchema, type HandoverStep } from './messages.ts'

/** Where the steps of the process come from that takes over: a child with an IPC channel. */
export interface Source {
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'error', listener: (failure: Error) => void): unknown
  on(event: 'exit', listener: (code: number | null, signal: string | null) => void): unknown
}

/** What the process that takes over has told, one step after the other. */
export class Steps {
  readonly #clock: Clock
  readonly #reached = new Map<HandoverStep, PromiseWithResolvers<void>>()
  /** It has ended, or never began: why. */
  readonly ended: Promise<string>
  #why = ''

  constructor(source: Source, clock: Clock) {
    this.#clock = clock
    const ended = Promise.withResolvers<string>()
    this.ended = ended.promise
    source.on('message', (message) => {
      const taken = takenSchema.safeParse(message)
      if (taken.success) this.#of(taken.data.step).resolve()
    })
    source.on('error', ({ message }) => ended.resolve(message))
    source.on('exit', (code, signal) => ended.resolve(signal ?? `code ${code}`))
  }

  /** Makes all waiting end with UNAVAILABLE for this reason. */
  callOff(why: string): void {
    this.#why ||= why
    for (const step of this.#reached.values())
      step.reject(new AppError('UNAVAILABLE', `The handover was canceled: ${why}.`))
  }

  /** Resolves when it has reached the step. Throws UNAVAILABLE when it ends, is called off or takes too long. */
  async reached(step: HandoverStep, withinMs: number): Promise<void> {
    if (this.#why !== '') this.callOff(this.#why)
    const late = Promise.withResolvers<never>()
    const fail = (why: string) =>
      late.reject(new AppError('UNAVAILABLE', `The new edge is not ${step}: ${why}.`))
    const timer = this.#clock.after(withinMs, () => fail(`it took longer than ${duration(withinMs)}`))
    void this.ended.then((why) => fail(`it ended, ${why}`))
    try {
      await Promise.race([this.#of(step).promise, late.promise])
    } finally {
      timer[Symbol.dispose]()
    }
  }

  #of(step: HandoverStep): PromiseWithResolvers<void> {
    let found = this.#reached.get(step)
    if (!found) {
      found = Promise.withResolvers()
      // A step that nobody waits for may be called off.
      found.promise.catch(() => undefined)
      this.#reached.set(step, found)
      if (this.#why !== '')
        found.reject(new AppError('UNAVAILABLE', `The handover was canceled: ${this.#why}.`))
    }
    return found
  }
}
