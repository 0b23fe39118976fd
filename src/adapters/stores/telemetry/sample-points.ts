import type { Block } from './block.ts'

/** Columns of one series in a chart. */
export interface Points {
  timesMs: Float64Array<ArrayBuffer>
  min: Float64Array<ArrayBuffer>
  mean: Float64Array<ArrayBuffer>
  max: Float64Array<ArrayBuffer>
}

/** A pause of more than this many times the usual distance of two samples is a gap. */
const gapFactor = 2.5

/**
 * The samples of `block` within [fromMs, toMs] as they are, by series, with one NaN point in each gap; or undefined
 * when they are more than `maxPoints`.
 */
export function pointsOf(
  block: Block,
  range: { fromMs: number; toMs: number; maxPoints: number },
): Map<number, Points> | undefined {
  const end = block.timesMs.findLastIndex((timeMs) => timeMs <= range.toMs) + 1
  const start = block.timesMs.subarray(0, end).findLastIndex((timeMs) => timeMs < range.fromMs) + 1
  const timesMs = block.timesMs.subarray(start, end)
  if (timesMs.length > range.maxPoints) return undefined
  const gaps = gapsIn(timesMs)
  if (timesMs.length + gaps.length > range.maxPoints) return undefined
  const times = withGaps(timesMs, gaps, (row) => ((timesMs[row - 1] ?? 0) + (timesMs[row] ?? 0)) / 2)
  return new Map<number, Points>(
    block.columns.map((column) => {
      const values = withGaps(column.values.subarray(start, end), gaps, () => NaN)
      return [column.key, { timesMs: times, min: values, mean: values, max: values }]
    }),
  )
}

/** Rows before which a gap lies. */
function gapsIn(timesMs: Float64Array): number[] {
  const limitMs = gapFactor * usualDistance(timesMs)
  const gaps: number[] = []
  for (let row = 1; row < timesMs.length; row++) {
    if ((timesMs[row] ?? 0) - (timesMs[row - 1] ?? 0) > limitMs) gaps.push(row)
  }
  return gaps
}

/** The median of the distances, of some hundred spread evenly where there are many: sorting a day of them is slow. */
function usualDistance(timesMs: Float64Array): number {
  const stride = Math.max(1, Math.floor(timesMs.length / 500))
  const distances: number[] = []
  for (let row = 1; row < timesMs.length; row += stride) {
    distances.push((timesMs[row] ?? 0) - (timesMs[row - 1] ?? 0))
  }
  return distances.sort((a, b) => a - b)[distances.length >> 1] ?? Infinity
}

function withGaps(
  values: Float64Array,
  gaps: readonly number[],
  between: (row: number) => number,
): Float64Array<ArrayBuffer> {
  if (gaps.length === 0) return values.slice()
  const filled = new Float64Array(values.length + gaps.length)
  let from = 0
  gaps.forEach((row, n) => {
    filled.set(values.subarray(from, row), from + n)
    filled[row + n] = between(row)
    from = row
  })
  filled.set(values.subarray(from), from + gaps.length)
  return filled
}
