import type { Columns } from './columns.ts'

/** Points to draw, in a buffer that is used again: the first `count` of each array count. NaN breaks the line. */
export class Points {
  count = 0
  timesMs = new Float64Array(512)
  values = new Float64Array(512)

  clear(): void {
    this.count = 0
  }

  push(timeMs: number, value: number): void {
    if (this.count === this.timesMs.length) {
      this.timesMs = grow(this.timesMs)
      this.values = grow(this.values)
    }
    this.timesMs[this.count] = timeMs
    this.values[this.count] = value
    this.count += 1
  }
}

/** The band between least and greatest, and the line of the mean. `low` and `high` have the same times. */
export interface Outline {
  line: Points
  low: Points
  high: Points
}

export const emptyOutline = (): Outline => ({ line: new Points(), low: new Points(), high: new Points() })

const grow = (array: Float64Array) => {
  const next = new Float64Array(array.length * 2)
  next.set(array)
  return next
}

/**
 * Writes into `outline` what is worth drawing of `columns` between two times on `pixels` pixels, one point beyond
 * either end included. Samples: all of them, or the least and the greatest of each pixel in the order they came, so
 * that no spike is lost. Bins: the mean of each pixel as line, least and greatest as band; samples have no band.
 * At most 2 points a pixel, and one more that breaks the line where a pixel begins or ends in a gap.
 */
export function decimate(
  columns: Columns,
  fromMs: number,
  toMs: number,
  pixels: number,
  outline: Outline,
): void {
  const { line, low, high } = outline
  line.clear()
  low.clear()
  high.clear()
  const { timesMs, min, mean, max, stepMs } = columns
  const first = Math.max(0, columns.indexFrom(fromMs) - 1)
  const end = Math.min(columns.length, columns.indexFrom(toMs) + 1)
  const isBinned = stepMs > 0
  if (end - first <= pixels * (isBinned ? 1 : 2)) {
    // A bin is drawn in its middle: the mean is of all of it.
    const shiftMs = stepMs / 2
    for (let index = first; index < end; index++) {
      const timeMs = (timesMs[index] ?? 0) + shiftMs
      line.push(timeMs, mean[index] ?? Number.NaN)
      if (!isBinned) continue
      low.push(timeMs, min[index] ?? Number.NaN)
      high.push(timeMs, max[index] ?? Number.NaN)
    }
    return
  }
  const pixelMs = (toMs - fromMs) / pixels
  let index = first
  while (index < end) {
    const pixel = Math.floor(((timesMs[index] ?? 0) - fromMs) / pixelMs)
    const pixelEndMs = fromMs + (pixel + 1) * pixelMs
    const startIndex = index
    let lowAt = -1
    let highAt = -1
    let sum = 0
    let count = 0
    while (index < end && (index === startIndex || (timesMs[index] ?? Infinity) < pixelEndMs)) {
      const value = mean[index] ?? Number.NaN
      if (!Number.isNaN(value)) {
        sum += value
        count += 1
        if (lowAt < 0 || (min[index] ?? value) < (min[lowAt] ?? value)) lowAt = index
        if (highAt < 0 || (max[index] ?? value) > (max[highAt] ?? value)) highAt = index
      }
      index += 1
    }
    const middleMs = fromMs + (pixel + 0.5) * pixelMs
    if (Number.isNaN(mean[startIndex])) breakAt(outline, timesMs[startIndex] ?? middleMs, isBinned)
    if (count > 0) {
      if (isBinned) {
        line.push(middleMs, sum / count)
        low.push(middleMs, min[lowAt] ?? Number.NaN)
        high.push(middleMs, max[highAt] ?? Number.NaN)
      } else {
        const earlier = Math.min(lowAt, highAt)
        const later = Math.max(lowAt, highAt)
        line.push(timesMs[earlier] ?? middleMs, mean[earlier] ?? Number.NaN)
        if (later !== earlier) line.push(timesMs[later] ?? middleMs, mean[later] ?? Number.NaN)
      }
      if (Number.isNaN(mean[index - 1])) breakAt(outline, timesMs[index - 1] ?? middleMs, isBinned)
    }
  }
}

function breakAt({ line, low, high }: Outline, timeMs: number, isBinned: boolean): void {
  if (line.count > 0 && Number.isNaN(line.values[line.count - 1])) return
  line.push(timeMs, Number.NaN)
  if (!isBinned) return
  low.push(timeMs, Number.NaN)
  high.push(timeMs, Number.NaN)
}
