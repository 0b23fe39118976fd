import type { Clock } from '../../base/index.ts'
import type { SlotGroup } from './slots.ts'

/** What `tick` is called on at every reading, whatever it gathers. */
export interface Ticking extends AsyncDisposable {
  tick(monotonicMs: number): void
}

/** A round this many cadences old is no longer true. */
const staleAfterCadences = 2.5

/**
 * Something slow that one reading starts and a later one shows: a call that waits for a disk, a driver or another
 * program. At most one call is in progress; its outcome is held until `tick`, so that values and catalogue only
 * ever change inside a reading.
 */
export class Background<T> implements Ticking {
  readonly group: SlotGroup
  #clock: Clock
  #cadenceMs: number
  #gather: () => Promise<T>
  #apply: (outcome: T) => void
  #running: Promise<void> | undefined
  #startedAtMs = -Infinity
  #arrived: { outcome: T; atMs: number } | undefined
  #appliedAtMs = NaN
  #isStale = true
  #isDisposed = false

  /** `gather` may take its time and may fail; `apply` writes its outcome into `group`. */
  constructor(options: {
    group: SlotGroup
    clock: Clock
    cadenceMs: number
    gather: () => Promise<T>
    apply: (outcome: T) => void
  }) {
    this.group = options.group
    this.#clock = options.clock
    this.#cadenceMs = options.cadenceMs
    this.#gather = options.gather
    this.#apply = options.apply
  }

  /** Applies what has arrived, drops what is too old, starts the next call when it is time. */
  tick(monotonicMs: number): void {
    if (this.#arrived) {
      const { outcome, atMs } = this.#arrived
      this.#arrived = undefined
      this.group.begin((atMs - this.#appliedAtMs) / 1000)
      this.#apply(outcome)
      this.group.end()
      this.#appliedAtMs = atMs
      this.#isStale = false
    } else if (!this.#isStale && monotonicMs - this.#appliedAtMs > this.#cadenceMs * staleAfterCadences) {
      this.group.begin(NaN)
      this.group.end()
      this.#appliedAtMs = NaN
      this.#isStale = true
    }
    if (this.#running === undefined && monotonicMs - this.#startedAtMs >= this.#cadenceMs)
      this.#start(monotonicMs)
  }

  /** Waits for the call in progress, as long as it takes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.#running
  }

  #start(monotonicMs: number): void {
    if (this.#isDisposed) return
    this.#startedAtMs = monotonicMs
    this.#running = this.#gather().then(
      (outcome) => {
        this.#running = undefined
        this.#arrived = { outcome, atMs: this.#clock.monotonicMs() }
      },
      () => {
        this.#running = undefined
      },
    )
  }
}
