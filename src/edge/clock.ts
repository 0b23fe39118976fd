/** Where the edge takes its time from; durations on `monotonicMs`, stamps on `nowMs`. */
export interface EdgeClock {
  nowMs(): number
  monotonicMs(): number
  after(delayMs: number, run: () => void): Disposable
  every(periodMs: number, run: () => void): Disposable
}

/** Where the edge takes its chance from: uniform in [0, 1). */
export interface EdgeRng {
  next(): number
  hex(byteCount: number): string
}

/** Structured log of the edge itself, not of what it runs. */
export interface EdgeLog {
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** What every part of the edge is given. */
export interface Surroundings {
  clock: EdgeClock
  rng: EdgeRng
  log: EdgeLog
}

/** Resolves after `delayMs`. */
export const pause = (clock: EdgeClock, delayMs: number): Promise<void> =>
  new Promise((resolve) => void clock.after(delayMs, resolve))
