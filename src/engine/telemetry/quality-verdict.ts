import { roughDuration, share, type Freshness } from '../../contract/index.ts'

/** Fewer readings than this say nothing yet. */
const fewestReadings = 5
/** More than this share of readings or values missing, and what is left may not be representative. */
const missingShareLimit = 0.2
/** More than this share of readings repeated or out of order. */
const misplacedShareLimit = 0.05
/** For how long a jump of the clock makes times doubtful: windows that reach over it mix two clocks. */
const skewDoubtMs = 5 * 60_000
/** A host's clock further off than this makes its events fall into the wrong minute. */
export const clockOffsetLimitMs = 5000

/** May someone decide on this data? With the reasons against, in sentences. */
export interface QualityVerdict {
  canBeJudged: boolean
  reasons: string[]
}

export interface HostEvidence {
  freshness: Freshness
  /** Age of the newest reading, ms. */
  ageMs: number
  /** Of the rolling window. */
  freshCount: number
  expectedCount: number
  misplacedCount: number
  /** Since the clock of the host last jumped against monotonic time, ms; Infinity when it did not. */
  sinceSkewMs: number
  /** How far the host's clock is behind ours, ms; negative when ahead. */
  clockOffsetMs: number
  seriesCount: number
  unmeasuredSeriesCount: number
}

/** Whether the data of a host can carry a decision. */
export function judgeHost(evidence: HostEvidence): QualityVerdict {
  const reasons: string[] = []
  const { freshCount, expectedCount, misplacedCount, clockOffsetMs } = evidence
  if (evidence.freshness === 'stale') {
    reasons.push(
      Number.isFinite(evidence.ageMs) ? `no reading for ${roughDuration(evidence.ageMs)}` : 'no reading yet',
    )
  } else if (freshCount < fewestReadings) {
    reasons.push(`only ${freshCount} ${freshCount === 1 ? 'reading' : 'readings'} so far`)
  }
  const missing = expectedCount > 0 ? 1 - freshCount / expectedCount : 0
  if (freshCount >= fewestReadings && missing > missingShareLimit) {
    reasons.push(`${share(missing)} of the readings of the last hour are missing`)
  }
  const misplaced = misplacedCount / Math.max(1, freshCount + misplacedCount)
  if (misplaced > misplacedShareLimit) {
    reasons.push(`${share(misplaced)} of the readings are repeated or out of order`)
  }
  if (Math.abs(clockOffsetMs) > clockOffsetLimitMs) {
    const side = clockOffsetMs > 0 ? 'behind' : 'ahead of'
    reasons.push(`its clock is ${roughDuration(Math.abs(clockOffsetMs))} ${side} ours`)
  }
  if (evidence.sinceSkewMs < skewDoubtMs) {
    reasons.push(`its clock jumped ${roughDuration(evidence.sinceSkewMs)} ago`)
  }
  if (evidence.unmeasuredSeriesCount * 2 > evidence.seriesCount) {
    reasons.push(`${evidence.unmeasuredSeriesCount} of ${evidence.seriesCount} series are not measured`)
  }
  return { canBeJudged: reasons.length === 0, reasons }
}

export interface SeriesEvidence {
  freshness: Freshness
  hasValue: boolean
  /** Between the newest number and the newest reading, ms. */
  ageMs: number
  freshCount: number
  absentCount: number
  unitJumpCount: number
  isImpossible: boolean
}

/** Whether one series can carry a decision; the reasons against its host come first. */
export function judgeSeries(evidence: SeriesEvidence, host: QualityVerdict): QualityVerdict {
  const reasons = [...host.reasons]
  const { freshCount, absentCount } = evidence
  if (!evidence.hasValue) reasons.push('never measured')
  else if (evidence.freshness === 'stale' && host.canBeJudged) {
    reasons.push(`no number for ${roughDuration(evidence.ageMs)}`)
  }
  const absent = absentCount / Math.max(1, freshCount + absentCount)
  if (evidence.hasValue && evidence.freshness !== 'stale' && absent > missingShareLimit) {
    reasons.push(`${share(absent)} of its values of the last hour are missing`)
  }
  if (evidence.isImpossible) reasons.push('its unit is a ratio, but its value is above 1.5')
  else if (evidence.unitJumpCount > 0) reasons.push('its unit seems to have changed within the last hour')
  return { canBeJudged: reasons.length === 0, reasons }
}
