import { latencyBoundsMs } from './deployments.ts'

/**
 * The latency, ms, that a share `p` (0 to 1) of requests stayed under, from a histogram over `latencyBoundsMs`:
 * geometric interpolation within the bin that holds the rank, which is exact to the bin's width of 9%. Null of none;
 * the last bound for the open bin.
 */
export function latencyQuantileMs(latencyCounts: readonly number[], p: number): number | null {
  let total = 0
  for (const count of latencyCounts) total += count
  if (total === 0) return null
  const rank = p * total
  let below = 0
  for (const [i, count] of latencyCounts.entries()) {
    if (count > 0 && below + count >= rank) {
      const upper = latencyBoundsMs[i]
      if (upper === undefined) break
      const lower = latencyBoundsMs[i - 1] ?? upper / 2
      return lower * (upper / lower) ** ((rank - below) / count)
    }
    below += count
  }
  return latencyBoundsMs[latencyBoundsMs.length - 1] ?? null
}
