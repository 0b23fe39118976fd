import { abandonedRatio, errorRatio, latencyQuantileMs, received, type Bin } from '../../../contract/index.ts'
import { Columns } from '../../charts/index.ts'

/** Lines of one release over time. */
export interface ReleaseColumns {
  errors: Columns
  abandoned: Columns
  /** Seconds. */
  p95: Columns
  requests: Columns
}

/** Spans of a point, ms. */
const stepsMs = [1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000]
const pointsWanted = 300

/** The span of one point, so that a chart of `spanMs` has at most some 300: every second of five minutes. */
export const stepFor = (spanMs: number): number =>
  stepsMs.find((step) => spanMs / step <= pointsWanted) ??
  Math.ceil(spanMs / pointsWanted / 300_000) * 300_000

/**
 * The span of one point for these bins: what is kept of a judgement is coarser than what the router counts now, and
 * finer points than bins would be mostly gaps.
 */
export function stepForBins(bins: readonly Bin[], spanMs: number): number {
  const spans = bins.map(({ durationMs }) => durationMs).sort((a, b) => a - b)
  // Half of them: one bin that a suspended machine stretched makes no chart coarse.
  const usualMs = spans[Math.floor(spans.length / 2)] ?? 0
  const least = stepFor(spanMs)
  return stepsMs.find((step) => step >= least && step >= usualMs * 0.9) ?? least
}

interface Sum extends Pick<Bin, 'requests' | 'errors' | 'diverted' | 'abandoned'> {
  /** What its requests are divided by. */
  durationMs: number
  /** What its bins cover. */
  beginMs: number
  endMs: number
  /** Of the longest one. */
  lastsMs: number
  latencyCounts: number[]
}

const emptySum = (): Sum => ({
  requests: 0,
  errors: 0,
  diverted: 0,
  abandoned: 0,
  durationMs: 0,
  beginMs: Infinity,
  endMs: -Infinity,
  lastsMs: 0,
  latencyCounts: [],
})

/**
 * Error ratio, share of abandoned requests, p95 and requests a second of one release, summed over points of `stepMs`. A point without requests
 * has no ratio and no latency; a stretch without bins is a gap.
 */
export const releaseColumns = (bins: readonly Bin[], releaseId: string, stepMs: number): ReleaseColumns =>
  columnsOf(
    bins.filter((bin) => bin.releaseId === releaseId),
    stepMs,
    ({ durationMs }) => durationMs,
  )

/** The same of all releases together. */
export const wholeColumns = (bins: readonly Bin[], stepMs: number): ReleaseColumns =>
  columnsOf(
    bins.toSorted((a, b) => a.atMs - b.atMs),
    stepMs,
    // Bins of several releases cover the same time: it counts once.
    ({ atMs, durationMs }, { endMs }) => Math.max(0, atMs + durationMs - Math.max(atMs, endMs)),
  )

/** `passedMs` is what a bin adds to the time that its point covers so far. */
function columnsOf(
  bins: readonly Bin[],
  stepMs: number,
  passedMs: (bin: Bin, sum: Pick<Sum, 'endMs'>) => number,
): ReleaseColumns {
  const sums = new Map<number, Sum>()
  for (const bin of bins) {
    const at = Math.floor(bin.atMs / stepMs) * stepMs
    const sum = sums.get(at) ?? emptySum()
    sum.requests += bin.requests
    sum.errors += bin.errors
    sum.diverted += bin.diverted
    sum.abandoned += bin.abandoned
    sum.durationMs += passedMs(bin, sum)
    sum.beginMs = Math.min(sum.beginMs, bin.atMs)
    sum.lastsMs = Math.max(sum.lastsMs, bin.durationMs)
    sum.endMs = Math.max(sum.endMs, bin.atMs + bin.durationMs)
    bin.latencyCounts.forEach((count, index) => {
      if (count > 0) sum.latencyCounts[index] = (sum.latencyCounts[index] ?? 0) + count
    })
    sums.set(at, sum)
  }
  const points = withGaps(
    [...sums].sort(([a], [b]) => a - b),
    stepMs,
  )
  return {
    errors: columnOf(points, (sum) => errorRatio(sum) ?? Number.NaN),
    abandoned: columnOf(points, (sum) => abandonedRatio(sum) ?? Number.NaN),
    p95: columnOf(points, ({ latencyCounts }) => {
      const ms = latencyQuantileMs(
        Array.from(latencyCounts, (count) => count ?? 0),
        0.95,
      )
      return ms === null ? Number.NaN : ms / 1000
    }),
    requests: columnOf(points, (sum) =>
      sum.durationMs > 0 ? (received(sum) * 1000) / sum.durationMs : Number.NaN,
    ),
  }
  function columnOf(all: typeof points, valueOf: (sum: Sum) => number): Columns {
    const timesMs = Float64Array.from(all, ([at]) => at)
    const values = Float64Array.from(all, ([, sum]) => (sum ? valueOf(sum) : Number.NaN))
    return new Columns({ timesMs, min: values, mean: values, max: values }, stepMs)
  }
}

/** The newest figure of a line, and how old it is once newer ones should be there: after two points without one. */
export function newestFigure(column: Columns, nowMs: number): { value: number; oldMs: number | null } {
  const newest = column.newest()
  if (!newest) return { value: Number.NaN, oldMs: null }
  const ageMs = nowMs - newest.timeMs
  return { value: newest.value, oldMs: ageMs > 2 * column.stepMs ? ageMs - column.stepMs : null }
}

/** The newest figure of a line that goes on; NaN for one that ended more than two points before `untilMs`. */
export function presentFigure(column: Columns | undefined, untilMs: number): number {
  if (!column) return Number.NaN
  const { value, oldMs } = newestFigure(column, untilMs)
  return oldMs === null ? value : Number.NaN
}

/** A point without a sum wherever bins leave more uncovered than half of one of them, or of a point. */
function withGaps(points: [number, Sum][], stepMs: number): [number, Sum | undefined][] {
  return points.flatMap((point, index): [number, Sum | undefined][] => {
    const next = points[index + 1]
    const uncoveredMs = next ? next[1].beginMs - point[1].endMs : 0
    return uncoveredMs > Math.max(stepMs, point[1].lastsMs) / 2
      ? [point, [point[0] + stepMs, undefined]]
      : [point]
  })
}

/**
 * What a deployment was judged on, each second by itself where the router still has it: what is kept are sums of several
 * seconds, which leave a few points of a short canary. `seconds` may begin with sums of minutes, which are coarser.
 */
export function finestBins(kept: readonly Bin[], seconds: readonly Bin[], toMs: number): Bin[] {
  const fine = seconds.filter(({ atMs, durationMs }) => atMs <= toMs && durationMs < coarseMs)
  const fromMs = new Map<string, number>()
  for (const { releaseId, atMs } of fine)
    fromMs.set(releaseId, Math.min(atMs, fromMs.get(releaseId) ?? Infinity))
  const coarse = kept.filter(({ releaseId, atMs }) => atMs < (fromMs.get(releaseId) ?? Infinity))
  return mergeBins(coarse, fine)
}

/** A bin of a router is about a second long. */
const coarseMs = 5000

/** `known` with `more`, each bin once, ascending in time; bins of before `fromMs` are forgotten. */
export function mergeBins(known: readonly Bin[], more: readonly Bin[], fromMs = -Infinity): Bin[] {
  const byKey = new Map<string, Bin>()
  for (const bin of [...known, ...more])
    if (bin.atMs >= fromMs) byKey.set(`${bin.atMs} ${bin.releaseId}`, bin)
  return [...byKey.values()].sort((a, b) => a.atMs - b.atMs)
}
