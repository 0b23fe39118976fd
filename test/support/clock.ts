import type { Clock } from '../../src/base/index.ts'

interface Timer {
  atMs: number
  order: number
  periodMs: number
  run: () => void
}

/**
 * A clock that stands still until told: timers run in order of their time, at exactly that time.
 * `jumpWall` moves wall time alone, as NTP or a resume from sleep does.
 */
export class VirtualClock implements Clock {
  #monotonicMs = 0
  #wallOffsetMs: number
  #order = 0
  #timers = new Set<Timer>()

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallOffsetMs = startMs
  }

  nowMs(): number {
    return this.#wallOffsetMs + this.#monotonicMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, run: () => void): Disposable {
    return this.#add(delayMs, 0, run)
  }

  every(periodMs: number, run: () => void): Disposable {
    return this.#add(periodMs, periodMs, run)
  }

  /** Timers that would still fire: a test can show that nothing was left running. */
  get timerCount(): number {
    return this.#timers.size
  }

  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  /** Runs everything due within `byMs`; between two timers pending promises settle. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + byMs
    await settle()
    for (let timer = this.#next(untilMs); timer; timer = this.#next(untilMs)) {
      this.#monotonicMs = timer.atMs
      if (timer.periodMs > 0) timer.atMs += timer.periodMs
      else this.#timers.delete(timer)
      timer.run()
      await settle()
    }
    this.#monotonicMs = untilMs
    await settle()
  }

  #add(delayMs: number, periodMs: number, run: () => void): Disposable {
    const timer = { atMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, periodMs, run }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }

  #next(untilMs: number): Timer | undefined {
    return [...this.#timers]
      .filter((timer) => timer.atMs <= untilMs)
      .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
  }
}

/** Lets what is already resolved run on, I/O callbacks that are ready included. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
