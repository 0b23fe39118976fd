import type { Clock } from '../../../src/base/index.ts'

interface Timer {
  atMs: number
  order: number
  periodMs: number
  run: () => void
}

/** Virtual time of a whole world: engines come and go in it. Timers of the same moment run in the order they were set. */
export class SimClock implements Clock {
  #now = 0
  #wallOffsetMs = Date.UTC(2026, 0, 1)
  #order = 0
  readonly #timers = new Set<Timer>()

  nowMs(): number {
    return this.#wallOffsetMs + this.#now
  }

  monotonicMs(): number {
    return this.#now
  }

  after(delayMs: number, run: () => void): Disposable {
    return this.#add(delayMs, 0, run)
  }

  every(periodMs: number, run: () => void): Disposable {
    return this.#add(periodMs, periodMs, run)
  }

  /** Wall time alone jumps, as NTP or a person makes it. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  /** The machine sleeps: both clocks go on, nothing runs meanwhile, everything overdue runs at once after it. */
  suspend(forMs: number): void {
    this.#now += forMs
  }

  /** Runs what is due within `byMs`, each time until nothing more can happen at that moment. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#now + byMs
    await settle()
    for (let timer = this.#next(untilMs); timer; timer = this.#next(untilMs)) {
      this.#now = Math.max(this.#now, timer.atMs)
      if (timer.periodMs > 0) timer.atMs = this.#now + timer.periodMs
      else this.#timers.delete(timer)
      timer.run()
      await settle()
    }
    this.#now = Math.max(this.#now, untilMs)
  }

  #add(delayMs: number, periodMs: number, run: () => void): Disposable {
    const timer = { atMs: this.#now + Math.max(0, delayMs), order: this.#order++, periodMs, run }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs > untilMs) continue
      if (!first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order))
        first = timer
    }
    return first
  }
}

/** The clock as one engine has it: killed with it. */
export class LifeClock implements Clock {
  readonly #clock: SimClock
  readonly #timers = new Set<Disposable>()
  #isDead = false

  constructor(clock: SimClock) {
    this.#clock = clock
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(delayMs: number, run: () => void): Disposable {
    return this.#keep((done) => this.#clock.after(delayMs, () => (done(), run())))
  }

  every(periodMs: number, run: () => void): Disposable {
    return this.#keep(() => this.#clock.every(periodMs, run))
  }

  kill(): void {
    this.#isDead = true
    for (const timer of this.#timers) timer[Symbol.dispose]()
    this.#timers.clear()
  }

  #keep(start: (done: () => void) => Disposable): Disposable {
    if (this.#isDead) return { [Symbol.dispose]: () => undefined }
    const held: Disposable = {
      [Symbol.dispose]: () => {
        this.#timers.delete(held)
        timer[Symbol.dispose]()
      },
    }
    const timer = start(() => this.#timers.delete(held))
    this.#timers.add(held)
    return held
  }
}

/** Lets everything run that is ready. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
