import type { Clock } from '../../base/index.ts'
import { latencyBoundsMs, longWaitMs, type EdgeBin, type EdgeCounts } from '../../contract/index.ts'

/**
 * How an attempt ended; what a cut response is, `binSchema` says. `answered`: its response is whole. `unmeasured`: it was
 * answered, but how long that took is not the release's doing: a stream that was cut. `abandoned`: its client left without
 * a response. `diverted`: it failed, and another release served the request. `unserved`: the edge refused it, as no
 * instance could take it. `uncounted`: it says nothing about the release, such as a failed attempt that was repeated at
 * the same release.
 */
export type Outcome =
  'answered' | 'unmeasured' | 'failed' | 'timed_out' | 'abandoned' | 'diverted' | 'unserved' | 'uncounted'

/** What can happen to an instance that counts against its release. An OOM kill is a crash, too, and counts as both. */
export type InstanceFailure = 'crash' | 'oom_kill' | 'health' | 'ejection'

/** An attempt that has not ended. */
export interface Attempt {
  readonly startedMs: number
  /** Its response has begun, as `binSchema` says. */
  hasBegun: boolean
  /** Something of its response has come since the last bin. */
  hasMoved: boolean
  /** The client takes no more for now, so nothing is read from the instance. */
  isBlocked: boolean
  /** End of the last bin in which something of its response came, monotonic. */
  movedMs: number
}

const sums = [
  'requests',
  'errors',
  'timeouts',
  'begun',
  'begunLate',
  'abandoned',
  'diverted',
  'unserved',
  'crashes',
  'oomKills',
  'healthFailures',
  'ejections',
] as const

const nothing = (): Record<(typeof sums)[number], number> => ({
  requests: 0,
  errors: 0,
  timeouts: 0,
  begun: 0,
  begunLate: 0,
  abandoned: 0,
  diverted: 0,
  unserved: 0,
  crashes: 0,
  oomKills: 0,
  healthFailures: 0,
  ejections: 0,
})

/**
 * Counts of the attempts of one release: what ended since the last bin, and what is in progress. Bins are kept by
 * `BinLog`.
 */
export class ReleaseCounts {
  readonly #clock: Clock
  /** In the order of their begin: the first is the oldest. */
  readonly #open = new Set<Attempt>()
  #counted = nothing()
  #isTouched = false
  #latencies = new Map<number, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(): Attempt {
    const startedMs = this.#clock.monotonicMs()
    const attempt = { startedMs, hasBegun: false, hasMoved: false, isBlocked: false, movedMs: startedMs }
    this.#open.add(attempt)
    return attempt
  }

  /** Something of the response has come that shows it has begun. Called for each piece of a body. */
  moved(attempt: Attempt): void {
    attempt.hasMoved = true
    if (!attempt.hasBegun && this.#open.has(attempt)) this.#begins(attempt)
  }

  #begins(attempt: Attempt): void {
    attempt.hasBegun = true
    this.#isTouched = true
    this.#counted.begun += 1
    if (this.#clock.monotonicMs() - attempt.startedMs >= longWaitMs) this.#counted.begunLate += 1
  }

  /** Once an attempt; a second end counts nothing. */
  end(attempt: Attempt, outcome: Outcome): void {
    if (!this.#open.delete(attempt)) return
    this.#isTouched = true
    // A whole response may have no body.
    if (!attempt.hasBegun && (outcome === 'answered' || outcome === 'unmeasured')) this.#begins(attempt)
    switch (outcome) {
      case 'uncounted':
        return
      case 'abandoned':
        this.#counted.abandoned += 1
        return
      case 'diverted':
        this.diverted()
        return
      case 'unserved':
        this.unserved()
        return
      case 'timed_out':
        this.#counted.timeouts += 1
        this.#counted.errors += 1
        break
      case 'failed':
        this.#counted.errors += 1
        break
      case 'answered':
        this.#took(this.#clock.monotonicMs() - attempt.startedMs)
        break
      case 'unmeasured':
    }
    this.#counted.requests += 1
  }

  #took(latencyMs: number): void {
    const index = latencyIndex(latencyMs)
    this.#latencies.set(index, (this.#latencies.get(index) ?? 0) + 1)
  }

  /** Another release serves a request that was meant for this one. */
  diverted(): void {
    this.#isTouched = true
    this.#counted.diverted += 1
  }

  /** The edge refused a request that was meant for this release: no instance could take it. It has no latency. */
  unserved(): void {
    this.#isTouched = true
    this.#counted.requests += 1
    this.#counted.errors += 1
    this.#counted.unserved += 1
  }

  /** Something happened to an instance of this release. */
  instanceFailed(failure: InstanceFailure): void {
    this.#isTouched = true
    switch (failure) {
      case 'oom_kill':
        this.#counted.crashes += 1
        this.#counted.oomKills += 1
        return
      case 'crash':
        this.#counted.crashes += 1
        return
      case 'health':
        this.#counted.healthFailures += 1
        return
      case 'ejection':
        this.#counted.ejections += 1
    }
  }

  /** Attempts that an edge before this one had begun and has ended. */
  absorb(ended: EdgeCounts): void {
    this.#isTouched = true
    for (const sum of sums) this.#counted[sum] += ended[sum]
    for (const [index, count] of ended.latencies)
      this.#latencies.set(index, (this.#latencies.get(index) ?? 0) + count)
  }

  get isIdle(): boolean {
    return !this.#isTouched && this.#open.size === 0
  }

  /** What happened since the last call, as a bin; counting starts anew. */
  close(): Omit<EdgeBin, 'atMs' | 'durationMs' | 'releaseId'> {
    const nowMs = this.#clock.monotonicMs()
    const [oldest] = this.#open
    const bin = {
      ...this.#counted,
      inFlight: this.#open.size,
      oldestInFlightMs: oldest ? nowMs - oldest.startedMs : 0,
      ...this.#waiting(nowMs),
      latencies: [...this.#latencies],
    }
    this.#counted = nothing()
    this.#isTouched = false
    this.#latencies = new Map()
    return bin
  }

  /** What those wait for that have been in progress for long. */
  #waiting(
    nowMs: number,
  ): Required<Pick<EdgeBin, 'longInFlight' | 'unanswered' | 'oldestUnansweredMs' | 'stalled'>> {
    const waiting = { longInFlight: 0, unanswered: 0, oldestUnansweredMs: 0, stalled: 0 }
    for (const attempt of this.#open) {
      if (attempt.hasMoved || attempt.isBlocked) attempt.movedMs = nowMs
      attempt.hasMoved = false
      const ageMs = nowMs - attempt.startedMs
      if (ageMs < longWaitMs) continue
      waiting.longInFlight += 1
      if (attempt.hasBegun) {
        if (nowMs - attempt.movedMs >= longWaitMs) waiting.stalled += 1
        continue
      }
      if (waiting.unanswered === 0) waiting.oldestUnansweredMs = ageMs
      waiting.unanswered += 1
    }
    return waiting
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
