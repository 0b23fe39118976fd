/**
 * Where the engine takes its time from. Wall time can jump (suspend, NTP); monotonic time cannot.
 * Durations are measured on `monotonicMs`, only what people read is stamped with `nowMs`.
 */
export interface Clock {
  /** UTC epoch, milliseconds. May jump. */
  nowMs(): number
  /** Milliseconds since some fixed point of this process. Never goes back. */
  monotonicMs(): number
  /** Calls `run` once after `delayMs`; dispose to cancel. */
  after(delayMs: number, run: () => void): Disposable
  /** Calls `run` each `periodMs`, on the grid of the first call; a late call is not made up for. */
  every(periodMs: number, run: () => void): Disposable
}

/** Resolves after `delayMs`, or rejects with the signal's reason when aborted first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = () => {
      timer[Symbol.dispose]()
      reject(signal?.reason as Error)
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
