import { attempts, latencyQuantileMs, type Bin } from '../../contract/index.ts'

export { abandonedRatio, attempts, decided, errorRatio, failures } from '../../contract/index.ts'

/** What a bin counts, besides its histogram. */
const counted = [
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

/** Sums over bins of one release. `latencyCounts[i]` counts responses of at most `latencyBoundsMs[i]`; the last is open. */
export interface Counts extends Record<(typeof counted)[number], number> {
  latencyCounts: number[]
}

export const noCounts = (): Counts => ({
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
  latencyCounts: [],
})

/**
 * Responses that began and have not ended. An estimate from below: it also leaves out one for each client that left
 * before a response began.
 */
export const ongoing = (counts: Counts): number => Math.max(0, counts.begun - attempts(counts))

/**
 * With responses in progress among the requests: they have begun, so they are answered so far. Without them, a release
 * whose responses take long would only have its failures at first, as those end early.
 */
export const withOngoing = (counts: Counts): Counts => ({
  ...counts,
  requests: counts.requests + ongoing(counts),
})

/** Sums of the bins of `releaseId`. */
export function countsOf(bins: readonly Bin[], releaseId: string): Counts {
  const sum = noCounts()
  for (const bin of bins) if (bin.releaseId === releaseId) addCounts(sum, bin)
  return sum
}

/** Adds `more` to `sum` in place. What was stored before a count existed lacks it. */
export function addCounts(sum: Counts, more: Partial<Counts>): void {
  for (const key of counted) sum[key] += more[key] ?? 0
  const latencyCounts = more.latencyCounts ?? []
  for (let i = 0; i < latencyCounts.length; i++)
    sum.latencyCounts[i] = (sum.latencyCounts[i] ?? 0) + (latencyCounts[i] ?? 0)
}

/** Whether every count is a number that can be a count. */
export const areCounts = (counts: Counts): boolean =>
  counted.every((key) => isCount(counts[key])) && counts.latencyCounts.every(isCount)

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0

/** Requests with a latency: those answered whole and without an error. */
export const measured = ({ latencyCounts }: Counts): number =>
  latencyCounts.reduce((sum, count) => sum + (count ?? 0), 0)

/** The latency, ms, that a share `p` (0 to 1) of measured requests stayed under; null without any. */
export const quantileMs = ({ latencyCounts }: Counts, p: number): number | null =>
  latencyQuantileMs(latencyCounts, p)
