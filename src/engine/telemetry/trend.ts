import { roughDuration, type Forecast, type Trend } from '../../contract/index.ts'

/** Bins the window is cut into: enough for the statistics, few enough for all their pairs. */
const binCount = 60
/** With fewer points the confidence bounds mean nothing. */
const fewestPoints = 10
/** Two-sided 90% of the normal distribution. */
const z90 = 1.6449

/** A forecast reaches at most this many times as far ahead as it looks back. */
const reach = 10
/** It needs at least this much past, ms. */
const leastSpanMs = 10 * 60_000
/** The latest time of a forecast may be at most this many times as far away as the earliest. */
const widestBounds = 3

/**
 * The slope of a series: the median of the slopes between all pairs of the medians of its bins (Theil 1950, Sen
 * 1968), so that wild values do not move it, with Sen's confidence bounds from the variance of Kendall's statistic. It is
 * `steady` when zero lies within the bounds. Times in ms, in any order; NaN values are left out. Nothing when fewer
 * than 10 points are left.
 */
export function trendOf(timesMs: Float64Array, values: Float64Array): Trend | undefined {
  const points = binned(timesMs, values)
  const { length } = points
  if (length < fewestPoints) return undefined
  const slopes = pairSlopes(points)
  const spread = z90 * Math.sqrt((length * (length - 1) * (2 * length + 5)) / 18)
  const low = slopes[Math.max(0, Math.floor((slopes.length - spread) / 2))] ?? NaN
  const high = slopes[Math.min(slopes.length - 1, Math.ceil((slopes.length + spread) / 2))] ?? NaN
  return {
    direction: low > 0 ? 'rising' : high < 0 ? 'falling' : 'steady',
    slopePerSecond: median(slopes),
    lowPerSecond: low,
    highPerSecond: high,
    recentSlopePerSecond: median(pairSlopes(points.slice(Math.floor(length / 2)))),
    spanMs: ((points[length - 1]?.seconds ?? 0) - (points[0]?.seconds ?? 0)) * 1000,
  }
}

/** A filesystem's share in use, now and over the past. */
export interface FillingInput {
  subject: string
  series: string
  /** 0 to 1. */
  share: number
  trend: Trend | undefined
  nowMs: number
}

/**
 * When a filesystem will be full if it goes on as it did: given only when all of its past says so. It rises beyond
 * doubt, the newer half of the window rises as well and within a factor of three as fast (a single large copy is no
 * trend), the bounds agree within a factor of three, and the time left is at most ten times the time looked back.
 */
export function forecastFull({ subject, series, share, trend, nowMs }: FillingInput): Forecast | undefined {
  if (trend?.direction !== 'rising' || trend.spanMs < leastSpanMs || !(share < 1)) return undefined
  const { slopePerSecond, lowPerSecond, highPerSecond, recentSlopePerSecond } = trend
  if (recentSlopePerSecond < slopePerSecond / 3 || recentSlopePerSecond > slopePerSecond * 3) return undefined
  if (highPerSecond > widestBounds * lowPerSecond) return undefined
  const msUntilFull = (perSecond: number) => ((1 - share) / perSecond) * 1000
  const leftMs = msUntilFull(slopePerSecond)
  if (leftMs > reach * trend.spanMs) return undefined
  return {
    subject,
    series,
    fullAtMs: nowMs + leftMs,
    earliestMs: nowMs + msUntilFull(highPerSecond),
    latestMs: nowMs + msUntilFull(lowPerSecond),
    sinceMs: nowMs,
    text: `disk ${subject} full in about ${roughDuration(leftMs)}`,
  }
}

interface Point {
  seconds: number
  value: number
}

/** Medians of equal stretches of time, oldest first; stretches without a number give no point. */
function binned(timesMs: Float64Array, values: Float64Array): Point[] {
  let fromMs = Infinity
  let toMs = -Infinity
  timesMs.forEach((atMs, i) => {
    if (!Number.isFinite(values[i] ?? NaN)) return
    fromMs = Math.min(fromMs, atMs)
    toMs = Math.max(toMs, atMs)
  })
  if (!(toMs > fromMs)) return []
  const bins = Array.from({ length: binCount }, () => ({ seconds: 0, values: [] as number[] }))
  timesMs.forEach((atMs, i) => {
    const value = values[i] ?? NaN
    if (!Number.isFinite(value)) return
    const bin = bins[Math.min(binCount - 1, Math.floor(((atMs - fromMs) / (toMs - fromMs)) * binCount))]
    bin?.values.push(value)
    if (bin) bin.seconds += (atMs - fromMs) / 1000
  })
  return bins
    .filter(({ values }) => values.length > 0)
    .map(({ seconds, values }) => ({
      seconds: seconds / values.length,
      value: median(Float64Array.from(values).sort()),
    }))
}

/** In ascending order. */
function pairSlopes(points: readonly Point[]): Float64Array {
  const slopes = new Float64Array((points.length * (points.length - 1)) / 2)
  let count = 0
  points.forEach((later, j) => {
    for (const earlier of points.slice(0, j)) {
      slopes[count++] = (later.value - earlier.value) / (later.seconds - earlier.seconds)
    }
  })
  return slopes.sort()
}

function median(sorted: Float64Array): number {
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}
