import { latencyQuantileMs, type Bin } from '../../contract/index.ts'

/** Sums over bins of one release. `latencyCounts[i]` counts attempts of at most `latencyBoundsMs[i]`; the last is open. */
export interface Counts {
  requests: number
  errors: number
  timeouts: number
  latencyCounts: number[]
}

export const noCounts = (): Counts => ({ requests: 0, errors: 0, timeouts: 0, latencyCounts: [] })

/** Sums of the bins of `releaseId`. */
export function countsOf(bins: readonly Bin[], releaseId: string): Counts {
  const sum = noCounts()
  for (const bin of bins) if (bin.releaseId === releaseId) addCounts(sum, bin)
  return sum
}

/** Adds `more` to `sum` in place. */
export function addCounts(sum: Counts, more: Counts): void {
  sum.requests += more.requests
  sum.errors += more.errors
  sum.timeouts += more.timeouts
  for (let i = 0; i < more.latencyCounts.length; i++)
    sum.latencyCounts[i] = (sum.latencyCounts[i] ?? 0) + (more.latencyCounts[i] ?? 0)
}

/** Share of attempts that failed, 0 to 1; null of none. */
export const errorRatio = ({ requests, errors }: Counts): number | null =>
  requests > 0 ? errors / requests : null

/** The latency, ms, that a share `p` (0 to 1) of attempts stayed under; null of none. */
export const quantileMs = ({ latencyCounts }: Counts, p: number): number | null =>
  latencyQuantileMs(latencyCounts, p)
