/** Where a sparkline is drawn and what it shows. */
export interface SparkFrame {
  width: number
  height: number
  fromMs: number
  toMs: number
  /** Value at the upper edge; the lower edge is 0. */
  top: number
}

/** A longer silence between two samples is drawn as a gap. */
const gapMs = 5_000

export interface SparkPaths {
  line: string
  /** The same down to the lower edge, for a fill. */
  area: string
}

/** The paths of a sparkline; samples that are not numbers and silences are gaps. Times ascend. */
export function sparkPaths(timesMs: Float64Array, values: Float64Array, frame: SparkFrame): SparkPaths {
  const { width, height, fromMs, toMs, top } = frame
  const x = (timeMs: number) => (((timeMs - fromMs) / (toMs - fromMs)) * width).toFixed(1)
  const y = (value: number) => (height - (Math.min(Math.max(value, 0), top) / top) * height).toFixed(1)
  let line = ''
  let area = ''
  let runStart = ''
  let lastX = ''
  let lastMs = -Infinity
  const endRun = () => {
    if (runStart) area += `L${lastX} ${height}L${runStart} ${height}Z`
    runStart = ''
  }
  timesMs.forEach((timeMs, at) => {
    const value = values[at] ?? Number.NaN
    if (timeMs < fromMs || timeMs > toMs) return
    if (Number.isNaN(value)) {
      endRun()
      return
    }
    if (timeMs - lastMs > gapMs) endRun()
    const point = `${x(timeMs)} ${y(value)}`
    if (!runStart) {
      runStart = x(timeMs)
      line += `M${point}`
      area += `M${runStart} ${height}L${point}`
    } else {
      line += `L${point}`
      area += `L${point}`
    }
    lastX = x(timeMs)
    lastMs = timeMs
  })
  endRun()
  return { line, area }
}

/** The largest value within [fromMs, toMs]; NaN where there is none. */
export function peakOf(timesMs: Float64Array, values: Float64Array, fromMs: number, toMs: number): number {
  let peak = Number.NaN
  timesMs.forEach((timeMs, at) => {
    const value = values[at] ?? Number.NaN
    if (timeMs >= fromMs && timeMs <= toMs && !(value <= peak)) peak = Number.isNaN(value) ? peak : value
  })
  return peak
}
