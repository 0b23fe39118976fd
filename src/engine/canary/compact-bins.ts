import type { Bin } from '../../contract/index.ts'
import { addCounts } from './counts.ts'

/**
 * Bins of one release that begin in the same `binMs` of wall time become one: what is kept of evidence. Order, sums and
 * the state in flight at the end of each bin are kept.
 */
export function compactBins(bins: readonly Bin[], binMs: number): Bin[] {
  const kept = new Map<string, Bin>()
  for (const bin of bins) {
    const key = `${Math.floor(bin.atMs / binMs)}:${bin.releaseId}`
    const sum = kept.get(key)
    if (!sum) {
      kept.set(key, { ...bin, latencyCounts: [...bin.latencyCounts] })
      continue
    }
    addCounts(sum, bin)
    sum.durationMs += bin.durationMs
    sum.inFlight = bin.inFlight
    sum.oldestInFlightMs = bin.oldestInFlightMs
    sum.longInFlight = bin.longInFlight
    sum.unanswered = bin.unanswered
    sum.oldestUnansweredMs = bin.oldestUnansweredMs
    sum.stalled = bin.stalled
  }
  return [...kept.values()]
}
