import type { Clock } from '../../base/index.ts'

/** The machine's own time. A timer it gives keeps the process alive until it fires or is disposed. */
export function systemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs)
      return { [Symbol.dispose]: () => clearTimeout(timer) }
    },
    every: (periodMs, run) => everyOnGrid(periodMs, run),
  }
}

/** setInterval drifts by its own lateness; aiming each call at the grid of the first keeps 1 Hz at 1 Hz. */
function everyOnGrid(periodMs: number, run: () => void): Disposable {
  const startedAt = performance.now()
  let timer: NodeJS.Timeout
  const schedule = () => {
    const elapsed = performance.now() - startedAt
    // A timer may fire a fraction early: without the half period it would fire twice for one point of the grid.
    const next = (Math.floor(elapsed / periodMs + 0.5) + 1) * periodMs
    timer = setTimeout(fire, next - elapsed)
  }
  const fire = () => {
    schedule()
    run()
  }
  schedule()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
