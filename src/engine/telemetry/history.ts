import type { SampleRing } from './ring.ts'

/** A stretch of the newest past: `min`, `mean` and `max` of each series, one column entry for each time. */
export interface History {
  /** Width of a point's bin; 0 when points are samples as taken (then the three columns are one). */
  stepMs: number
  /** Ascending; of a bin its start. */
  timesMs: Float64Array
  series: { slot: number; min: Float64Array; mean: Float64Array; max: Float64Array }[]
}

export interface HistoryQuery {
  /** Back from the newest row, by wall time. */
  durationMs: number
  slots: readonly number[]
  /** At least 2. */
  maxPoints: number
  /** Rows further apart than 1.75 of these have a gap between them, which shows as a point of NaN. */
  intervalMs: number
}

/**
 * What a ring holds of the last `durationMs`: rows as they are when they fit into `maxPoints`, else bins on a grid of
 * whole seconds. Rows from beyond a step back of the clock stand where their time puts them.
 */
export function historySince(ring: SampleRing, query: HistoryQuery): History {
  const { durationMs, slots, maxPoints, intervalMs } = query
  const newestMs = ring.timeMs(0)
  const { timesMs, columns } = ring.window(newestMs - durationMs, newestMs, slots)
  const order = Uint32Array.from(timesMs, (_, row) => row).sort(
    (a, b) => (timesMs[a] ?? 0) - (timesMs[b] ?? 0) || a - b,
  )
  const rows = withGaps(timesMs, order, intervalMs)
  if (rows.length <= maxPoints) {
    const pick = (column: Float64Array) => Float64Array.from(rows, (row) => column[row.row] ?? NaN)
    return {
      stepMs: 0,
      timesMs: Float64Array.from(rows, ({ atMs }) => atMs),
      series: slots.map((slot, i) => {
        const picked = pick(columns[i] ?? new Float64Array(0))
        return { slot, min: picked, mean: picked, max: picked }
      }),
    }
  }
  const spanMs = newestMs - (timesMs[order[0] ?? 0] ?? newestMs)
  // One bin more than the span holds may be touched, because bins lie on the grid and the span does not.
  const stepMs = Math.max(1, Math.ceil(spanMs / (maxPoints - 1) / 1000)) * 1000
  const startMs = Math.floor((newestMs - spanMs) / stepMs) * stepMs
  const count = Math.floor((newestMs - startMs) / stepMs) + 1
  return {
    stepMs,
    timesMs: Float64Array.from({ length: count }, (_, bin) => startMs + bin * stepMs),
    series: slots.map((slot, i) => ({
      slot,
      ...bins(timesMs, columns[i] ?? new Float64Array(0), startMs, stepMs, count),
    })),
  }
}

/** Rows in order of time, with a row of no data (-1) in the middle of each gap. */
function withGaps(timesMs: Float64Array, order: Uint32Array, intervalMs: number) {
  const rows: { row: number; atMs: number }[] = []
  let lastMs = NaN
  for (const row of order) {
    const atMs = timesMs[row] ?? NaN
    if (atMs - lastMs > 1.75 * intervalMs) rows.push({ row: -1, atMs: (lastMs + atMs) / 2 })
    rows.push({ row, atMs })
    lastMs = atMs
  }
  return rows
}

function bins(timesMs: Float64Array, values: Float64Array, startMs: number, stepMs: number, count: number) {
  const min = new Float64Array(count).fill(NaN)
  const max = new Float64Array(count).fill(NaN)
  const mean = new Float64Array(count)
  const counts = new Uint32Array(count)
  values.forEach((value, row) => {
    if (!Number.isFinite(value)) return
    const bin = Math.floor(((timesMs[row] ?? 0) - startMs) / stepMs)
    const soFar = counts[bin] ?? 0
    min[bin] = soFar === 0 ? value : Math.min(min[bin] ?? value, value)
    max[bin] = soFar === 0 ? value : Math.max(max[bin] ?? value, value)
    mean[bin] = (mean[bin] ?? 0) + value
    counts[bin] = soFar + 1
  })
  counts.forEach((each, bin) => {
    mean[bin] = each === 0 ? NaN : (mean[bin] ?? 0) / each
  })
  return { min, mean, max }
}
