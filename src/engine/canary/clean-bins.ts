import type { Bin } from '../../contract/index.ts'

/** A bin that took longer than this was cut by a suspend or a stall: its latencies say nothing of the release. */
const longestBinMs = 3000

/** Bins fit to judge on, and why others are not: a sentence, empty when all are. */
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

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0

function isSound(bin: Bin): boolean {
  return (
    Number.isFinite(bin.atMs) &&
    [bin.durationMs, bin.requests, bin.errors, bin.timeouts, bin.inFlight, bin.oldestInFlightMs].every(
      isCount,
    ) &&
    bin.errors <= bin.requests &&
    bin.latencyCounts.every(isCount)
  )
}
