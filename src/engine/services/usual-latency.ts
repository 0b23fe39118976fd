import { enoughRequests, type Bin } from '../../contract/index.ts'
import { addCounts, measured, noCounts, quantileMs, type Counts } from '../canary/index.ts'

/** Minutes that make what is usual, and the requests it takes. */
const usualMinutes = 30
const enoughForUsual = 500
/** A minute is learned when it has left every window that may yet turn out to be slow. */
const windowMinutes = 2
/** A p95 that grew by more than this factor, and by more than this, is worth a look. */
const slowerFactor = 1.5
const slowerByMs = 10
/** Three standard deviations of a normal. */
const certain = 3

interface Learned {
  /** Newest last. */
  minutes: Bin[]
  usual: Counts
  /** The newest minutes, not learned yet. */
  pending: Bin[]
  previous: Bin | null
  /** The newest window that could be judged was slower than usual. */
  isSlow: boolean
}

/**
 * What latency is usual for each release: that of its newest half an hour in which it was not slower than usual. While it is
 * slower nothing is learned, however long that lasts, so slowness never becomes usual. A release that is new begins anew.
 * All of it follows from the minutes alone: an engine that restarts learns the same from those it has stored.
 */
export class UsualLatency {
  readonly #releases = new Map<string, Learned>()

  /** Takes the sums of a minute into account; minutes come in the order of time. */
  learn(minute: Bin): void {
    const known = this.#releases.get(minute.releaseId) ?? nothingLearned()
    this.#releases.set(minute.releaseId, known)
    const window = sumOf(known.previous ? [known.previous, minute] : [minute])
    known.previous = minute
    // Too few requests to tell change nothing.
    if (measured(window) >= enoughRequests) known.isSlow = isSlower(window, known.usual)
    if (known.isSlow) {
      // The slowness may have begun in them.
      known.pending = []
      return
    }
    known.pending.push(minute)
    if (known.pending.length <= windowMinutes) return
    known.minutes = [...known.minutes, ...known.pending.splice(0, 1)].slice(-usualMinutes)
    known.usual = sumOf(known.minutes)
  }

  /** The counts of what is usual for a release; null while too little is known. */
  of(releaseId: string): Counts | null {
    const usual = this.#releases.get(releaseId)?.usual
    return usual && measured(usual) >= enoughForUsual ? usual : null
  }

  /** Forgets releases that have none of these minutes. */
  keepOnly(minutes: readonly Bin[]): void {
    const kept = new Set(minutes.map(({ releaseId }) => releaseId))
    for (const releaseId of this.#releases.keys()) if (!kept.has(releaseId)) this.#releases.delete(releaseId)
  }
}

/**
 * Whether the p95 is beyond chance above the usual one: even the quantile that chance may have made of it (three standard
 * errors of an order statistic) exceeds half as much again. False while too little is usual.
 */
export function isSlower(lately: Counts, usual: Counts): boolean {
  if (measured(usual) < enoughForUsual) return false
  const usualP95Ms = quantileMs(usual, 0.95)
  const least = quantileMs(lately, 0.95 - certain * Math.sqrt((0.95 * 0.05) / measured(lately)))
  if (usualP95Ms === null || least === null) return false
  return least > Math.max(usualP95Ms * slowerFactor, usualP95Ms + slowerByMs)
}

const nothingLearned = (): Learned => ({
  minutes: [],
  usual: noCounts(),
  pending: [],
  previous: null,
  isSlow: false,
})

function sumOf(minutes: readonly Bin[]): Counts {
  const sum = noCounts()
  for (const minute of minutes) addCounts(sum, minute)
  return sum
}
