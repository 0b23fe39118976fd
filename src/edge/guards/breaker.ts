import type { BreakerSettings } from '../../contract/index.ts'

export type Circuit = 'closed' | 'open' | 'half_open'

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

  /** An attempt that `allows` let through begins. */
  begin(nowMs: number): void {
    if (this.#state.kind === 'open' && nowMs >= this.#state.untilMs)
      this.#state = { kind: 'half_open', sent: 0, succeeded: 0 }
    if (this.#state.kind === 'half_open') this.#state.sent += 1
  }

  end(isFailure: boolean, nowMs: number): void {
    switch (this.#state.kind) {
      case 'closed':
        this.#count1(isFailure)
        if (this.#isTooBad()) this.#open(nowMs)
        return
      case 'half_open':
        if (isFailure) return this.#open(nowMs)
        this.#state.succeeded += 1
        if (this.#state.succeeded >= this.#settings.probes) this.#state = { kind: 'closed' }
        return
      case 'open':
        // Of an attempt from before: the decision stands.
        return
    }
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
    this.#state = { kind: 'open', untilMs: nowMs + this.#settings.openMs }
    this.#outcomes = new Uint8Array(this.#settings.window)
    this.#count = 0
    this.#failures = 0
  }
}
