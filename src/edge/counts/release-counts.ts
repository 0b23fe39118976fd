import { latencyBoundsMs, type EdgeBin } from '../../contract/index.ts'
import type { EdgeClock } from '../clock.ts'

/** How an attempt ended. */
export type Outcome = 'answered' | 'failed' | 'timed_out'

/** An attempt that has not ended. */
export interface Attempt {
  readonly startedMs: number
}

/** What has ended, without what is under way. */
export type Ended = Pick<EdgeBin, 'requests' | 'errors' | 'timeouts' | 'latencies'>

/**
 * Counts of the attempts of one release: what ended since the last bin, and what is under way. Bins are kept by
 * `BinLog`.
 */
export class ReleaseCounts {
  readonly #clock: EdgeClock
  /** In the order of their begin: the first is the oldest. */
  readonly #open = new Set<Attempt>()
  #requests = 0
  #errors = 0
  #timeouts = 0
  #latencies = new Map<number, number>()

  constructor(clock: EdgeClock) {
    this.#clock = clock
  }

  begin(): Attempt {
    const attempt = { startedMs: this.#clock.monotonicMs() }
    this.#open.add(attempt)
    return attempt
  }

  /** Once an attempt; a second end counts nothing. */
  end(attempt: Attempt, outcome: Outcome): void {
    if (!this.#open.delete(attempt)) return
    this.#requests += 1
    if (outcome !== 'answered') this.#errors += 1
    if (outcome === 'timed_out') this.#timeouts += 1
    const index = latencyIndex(this.#clock.monotonicMs() - attempt.startedMs)
    this.#latencies.set(index, (this.#latencies.get(index) ?? 0) + 1)
  }

  /** Attempts that an edge before this one had begun and has ended. */
  absorb({ requests, errors, timeouts, latencies }: Ended): void {
    this.#requests += requests
    this.#errors += errors
    this.#timeouts += timeouts
    for (const [index, count] of latencies)
      this.#latencies.set(index, (this.#latencies.get(index) ?? 0) + count)
  }

  get isIdle(): boolean {
    return this.#requests === 0 && this.#open.size === 0
  }

  /** What happened since the last call, as a bin; counting starts anew. */
  close(): Omit<EdgeBin, 'atMs' | 'durationMs' | 'releaseId'> {
    const [oldest] = this.#open
    const bin = {
      requests: this.#requests,
      errors: this.#errors,
      timeouts: this.#timeouts,
      inFlight: this.#open.size,
      oldestInFlightMs: oldest ? this.#clock.monotonicMs() - oldest.startedMs : 0,
      latencies: [...this.#latencies],
    }
    this.#requests = this.#errors = this.#timeouts = 0
    this.#latencies = new Map()
    return bin
  }
}

/** The first bound that is not below `latencyMs`; one past the last for what is above all. */
export function latencyIndex(latencyMs: number): number {
  const first = latencyBoundsMs[0] as number
  if (latencyMs <= first) return 0
  // Bounds are 8 a doubling; rounding may be off by one at a bound itself.
  let index = Math.min(Math.ceil(8 * Math.log2(latencyMs / first)), latencyBoundsMs.length)
  if (index > 0 && latencyMs <= (latencyBoundsMs[index - 1] as number)) index -= 1
  else if (latencyMs > (latencyBoundsMs[index] ?? Infinity)) index += 1
  return index
}
