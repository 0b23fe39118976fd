import type { BreakerSettings } from '../../contract/index.ts'

export type Circuit = 'closed' | 'open' | 'half_open'

/** How an attempt ended; abandoned by its client it says nothing about the release. */
export type AttemptEnd = 'succeeded' | 'failed' | 'abandoned'

type State =
  | { kind: 'closed' }
  | { kind: 'open'; untilMs: number }
  | { kind: 'half_open'; sent: number; succeeded: number }

/**
 * The circuit of one release. Closed, it counts the newest attempts and opens when too many failed; open, it lets
 * nothing through for `openMs`; half open, it lets `probes` attempts through: all well closes it, one failure opens it.
 */
export class Breaker {
  readonly #settings: BreakerSettings
  #state: State = { kind: 'closed' }
  /** Grows with each change of state: what began under another one does not decide about this one. */
  #era = 0
  /** Ring of the newest outcomes, 1 a failure. */
  #outcomes: Uint8Array
  #count = 0
  #failures = 0

  constructor(settings: BreakerSettings) {
    this.#settings = settings
    this.#outcomes = new Uint8Array(settings.window)
  }

  circuit(nowMs: number): Circuit {
    return this.#state.kind === 'open' && nowMs >= this.#state.untilMs ? 'half_open' : this.#state.kind
  }

  /** Whether an attempt would be let through now. */
  allows(nowMs: number): boolean {
    if (this.#state.kind === 'half_open') return this.#state.sent < this.#settings.probes
    return this.#state.kind === 'closed' || nowMs >= this.#state.untilMs
  }

  /** An attempt that `allows` let through begins; gives what its end has to name. */
  begin(nowMs: number): number {
    if (this.#state.kind === 'open' && nowMs >= this.#state.untilMs)
      this.#enter({ kind: 'half_open', sent: 0, succeeded: 0 })
    if (this.#state.kind === 'half_open') this.#state.sent += 1
    return this.#era
  }

  end(era: number, how: AttemptEnd, nowMs: number): void {
    if (era !== this.#era) return
    switch (this.#state.kind) {
      case 'closed':
        if (how === 'abandoned') return
        this.#count1(how === 'failed')
        if (this.#isTooBad()) this.#open(nowMs)
        return
      case 'half_open':
        if (how === 'failed') return this.#open(nowMs)
        if (how === 'abandoned') {
          // Its place goes to another probe.
          this.#state.sent -= 1
          return
        }
        this.#state.succeeded += 1
        if (this.#state.succeeded >= this.#settings.probes) this.#enter({ kind: 'closed' })
        return
      case 'open':
        return
    }
  }

  #enter(state: State): void {
    this.#state = state
    this.#era += 1
  }

  #count1(isFailure: boolean): void {
    const index = this.#count % this.#settings.window
    if (this.#count >= this.#settings.window) this.#failures -= this.#outcomes[index] ?? 0
    this.#outcomes[index] = Number(isFailure)
    this.#failures += Number(isFailure)
    this.#count += 1
  }

  #isTooBad(): boolean {
    const { window, minAttempts, failureRatio } = this.#settings
    const seen = Math.min(this.#count, window)
    return seen >= Math.min(minAttempts, window) && this.#failures / seen >= failureRatio
  }

  #open(nowMs: number): void {
    this.#enter({ kind: 'open', untilMs: nowMs + this.#settings.openMs })
    this.#outcomes = new Uint8Array(this.#settings.window)
    this.#count = 0
    this.#failures = 0
  }
}
