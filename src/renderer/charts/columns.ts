/** What the engine sends of one series: arrays of equal length, ascending in time. */
export interface ChartHistory {
  timesMs: Float64Array
  min: Float64Array
  mean: Float64Array
  max: Float64Array
}

/** Least, mean and greatest of everything in a stretch of time; null where nothing was measured. */
export interface Extent {
  min: number
  mean: number
  max: number
  /** When the greatest was. */
  maxAtMs: number
}

/** Samples further apart than this many intervals are a gap. */
const gapIntervals = 3.5

/**
 * The points of one series, ascending in time, growing at their end: what the engine sent, then live samples.
 * With a step, a point is the least, mean and greatest of a bin of `stepMs` that begins at its time, and live samples
 * are folded into the newest bin; without one, a point is a sample. NaN is a gap.
 */
export class Columns {
  readonly stepMs: number
  #intervalMs: number
  #start = 0
  #end = 0
  #timesMs: Float64Array
  #min: Float64Array
  #mean: Float64Array
  #max: Float64Array
  /** Samples in the newest bin. */
  #newestCount = 0
  #appendedMs: number

  /**
   * `intervalMs` is the time between samples as taken, to know a gap in what is appended; up to `coveredMs` history
   * is complete, so that no sample is folded into a bin twice.
   */
  constructor(
    history: ChartHistory | undefined,
    stepMs: number,
    { intervalMs = 1000, coveredMs = Number.NEGATIVE_INFINITY } = {},
  ) {
    this.stepMs = stepMs
    this.#intervalMs = intervalMs
    this.#appendedMs = coveredMs
    const length = history?.timesMs.length ?? 0
    const capacity = length + 256
    const grown = (column: Float64Array | undefined) => {
      const copy = new Float64Array(capacity)
      if (column) copy.set(column)
      return copy
    }
    this.#timesMs = grown(history?.timesMs)
    this.#min = grown(history?.min)
    this.#mean = grown(history?.mean)
    this.#max = grown(history?.max)
    this.#end = length
  }

  get length(): number {
    return this.#end - this.#start
  }

  /** Views of the points, valid until the next append. */
  get timesMs(): Float64Array {
    return this.#timesMs.subarray(this.#start, this.#end)
  }
  get min(): Float64Array {
    return this.#min.subarray(this.#start, this.#end)
  }
  get mean(): Float64Array {
    return this.#mean.subarray(this.#start, this.#end)
  }
  get max(): Float64Array {
    return this.#max.subarray(this.#start, this.#end)
  }

  get newestMs(): number {
    return this.length === 0 ? Number.NEGATIVE_INFINITY : (this.#timesMs[this.#end - 1] ?? Number.NaN)
  }

  /** Time of the newest sample that is in: in bins, later than the begin of the newest one once samples were folded. */
  get newestSampleMs(): number {
    return Math.max(this.newestMs, this.#appendedMs)
  }

  /** Adds a live sample. One that is not newer than what is there is ignored: history has it already. */
  append(timeMs: number, value: number): void {
    if (timeMs <= this.newestSampleMs) return
    const newestMs = this.newestMs
    this.#appendedMs = timeMs
    if (this.stepMs > 0 && timeMs < newestMs + this.stepMs) {
      this.#fold(timeMs, value)
      return
    }
    const reachMs = Math.max(this.stepMs, this.#intervalMs) * gapIntervals
    if (timeMs - newestMs > reachMs && this.length > 0 && !Number.isNaN(this.#mean[this.#end - 1])) {
      this.#push(newestMs + Math.max(this.stepMs, this.#intervalMs), Number.NaN)
    }
    this.#push(this.stepMs > 0 ? Math.floor(timeMs / this.stepMs) * this.stepMs : timeMs, value)
    this.#newestCount = Number.isNaN(value) ? 0 : 1
  }

  /** Forgets what lies wholly before `ms`, but for one point, so that a line still enters from the left. */
  trimBefore(ms: number): void {
    this.#start += Math.max(0, this.indexFrom(ms) - 1)
  }

  /** Index of the first point at or after `ms`; `length` when there is none. */
  indexFrom(ms: number): number {
    let low = this.#start
    let high = this.#end
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#timesMs[middle] ?? 0) < ms) low = middle + 1
      else high = middle
    }
    return low - this.#start
  }

  /** Index of the point that stands for the moment `ms`; -1 when none is near enough to speak for it. */
  indexAt(ms: number): number {
    const after = this.indexFrom(ms)
    const distance = (index: number) =>
      index < 0 || index >= this.length ? Infinity : Math.abs((this.#timesMs[this.#start + index] ?? 0) - ms)
    const nearest =
      this.stepMs > 0
        ? distance(after) === 0
          ? after
          : after - 1
        : distance(after) < distance(after - 1)
          ? after
          : after - 1
    const reachMs = this.stepMs > 0 ? this.stepMs : this.#intervalMs * gapIntervals
    return distance(nearest) <= reachMs ? nearest : -1
  }

  /** The mean at the moment `ms`; NaN where nothing was measured. */
  valueAt(ms: number): number {
    const index = this.indexAt(ms)
    return index < 0 ? Number.NaN : (this.#mean[this.#start + index] ?? Number.NaN)
  }

  /** The newest number and its time; undefined when there is none. */
  newest(): { timeMs: number; value: number } | undefined {
    for (let index = this.#end - 1; index >= this.#start; index--) {
      const value = this.#mean[index] ?? Number.NaN
      if (!Number.isNaN(value)) return { timeMs: this.#timesMs[index] ?? Number.NaN, value }
    }
    return undefined
  }

  extent(fromMs: number, toMs: number): Extent | null {
    let min = Infinity
    let max = -Infinity
    let maxAtMs = Number.NaN
    let sum = 0
    let count = 0
    const first = this.#start + this.indexFrom(fromMs - this.stepMs)
    for (let index = first; index < this.#end; index++) {
      const timeMs = this.#timesMs[index] ?? Infinity
      if (timeMs > toMs) break
      const mean = this.#mean[index] ?? Number.NaN
      if (Number.isNaN(mean)) continue
      sum += mean
      count += 1
      min = Math.min(min, this.#min[index] ?? mean)
      const top = this.#max[index] ?? mean
      if (top > max) {
        max = top
        maxAtMs = timeMs
      }
    }
    return count === 0 ? null : { min, mean: sum / count, max, maxAtMs }
  }

  #fold(timeMs: number, value: number): void {
    if (Number.isNaN(value)) return
    const at = this.#end - 1
    const mean = this.#mean[at] ?? Number.NaN
    if (Number.isNaN(mean)) {
      this.#min[at] = this.#mean[at] = this.#max[at] = value
      this.#newestCount = 1
      return
    }
    // The engine's newest bin does not say how many samples it holds: as many as fit into its time so far.
    if (this.#newestCount === 0) {
      this.#newestCount = Math.max(1, Math.round((timeMs - (this.#timesMs[at] ?? timeMs)) / this.#intervalMs))
    }
    this.#newestCount += 1
    this.#mean[at] = mean + (value - mean) / this.#newestCount
    this.#min[at] = Math.min(this.#min[at] ?? value, value)
    this.#max[at] = Math.max(this.#max[at] ?? value, value)
  }

  #push(timeMs: number, value: number): void {
    if (this.#end === this.#timesMs.length) this.#makeRoom()
    this.#timesMs[this.#end] = timeMs
    this.#min[this.#end] = this.#mean[this.#end] = this.#max[this.#end] = value
    this.#end += 1
  }

  /** Moves the points to the front when half of the arrays is forgotten, else to arrays of twice the size. */
  #makeRoom(): void {
    const capacity = this.#start > this.#timesMs.length / 2 ? this.#timesMs.length : this.#timesMs.length * 2
    const moved = (column: Float64Array) => {
      const next = new Float64Array(capacity)
      next.set(column.subarray(this.#start, this.#end))
      return next
    }
    this.#timesMs = moved(this.#timesMs)
    this.#min = moved(this.#min)
    this.#mean = moved(this.#mean)
    this.#max = moved(this.#max)
    this.#end -= this.#start
    this.#start = 0
  }
}
