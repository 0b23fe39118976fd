import type { Bin } from '../../contract/index.ts'
import { areCounts } from './counts.ts'

/** A bin that took longer than this was cut by a suspend or a stall: its latencies say nothing of the release. */
const longestBinMs = 3000

/** Bins fit to judge on, and why others are not: a clause, empty when all are. */
export function cleanBins(bins: readonly Bin[]): { bins: Bin[]; trouble: string } {
  const sound = bins.filter(isSound)
  const whole = sound.filter(({ durationMs }) => durationMs <= longestBinMs)
  const damaged = bins.length - sound.length
  const cut = sound.length - whole.length
  const parts = [
    ...(damaged > 0 ? [`${damaged} of ${bins.length} bins held no valid numbers`] : []),
    ...(cut > 0 ? [`${cut} were cut by a suspend or a stall`] : []),
  ]
  return { bins: whole, trouble: parts.join(', ') }
}

const isSound = (bin: Bin): boolean =>
  Number.isFinite(bin.atMs) &&
  [
    bin.durationMs,
    bin.inFlight,
    bin.oldestInFlightMs,
    bin.longInFlight ?? 0,
    bin.unanswered ?? 0,
    bin.oldestUnansweredMs ?? 0,
    bin.stalled ?? 0,
  ].every((value) => Number.isFinite(value) && value >= 0) &&
  areCounts(bin) &&
  bin.errors <= bin.requests
