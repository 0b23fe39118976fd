/**
 * Equal stretches of time, each with the minimum, mean, maximum and number of what was measured in it. NaN is not
 * measured; an empty bin has NaN for all and a count of 0.
 */
export class Bins {
  readonly startMs: number
  readonly stepMs: number
  readonly count: number
  readonly min: Float64Array<ArrayBuffer>
  readonly max: Float64Array<ArrayBuffer>
  readonly counts: Float64Array
  readonly #sums: Float64Array<ArrayBuffer>

  constructor(startMs: number, stepMs: number, count: number) {
    this.startMs = startMs
    this.stepMs = stepMs
    this.count = count
    this.min = new Float64Array(count).fill(NaN)
    this.max = new Float64Array(count).fill(NaN)
    this.counts = new Float64Array(count)
    this.#sums = new Float64Array(count)
  }

  /** Samples as taken, in any order; those outside all bins are left out. */
  addSamples(timesMs: Float64Array, values: Float64Array): void {
    for (let i = 0; i < timesMs.length; i++) {
      const value = values[i] ?? NaN
      this.#add(timesMs[i] ?? NaN, value, value, value, 1)
    }
  }

  /** Points of finer bins, each with the time its bin starts. */
  addPoints(timesMs: Float64Array, points: Summary): void {
    for (let i = 0; i < timesMs.length; i++) {
      const count = points.counts[i] ?? 0
      this.#add(timesMs[i] ?? NaN, points.min[i] ?? NaN, points.mean[i] ?? NaN, points.max[i] ?? NaN, count)
    }
  }

  /** Starts of the bins. */
  timesMs(): Float64Array<ArrayBuffer> {
    return Float64Array.from({ length: this.count }, (_, i) => this.startMs + i * this.stepMs)
  }

  /** Never outside of minimum and maximum, whatever the sum lost in rounding. */
  mean(): Float64Array<ArrayBuffer> {
    return this.#sums.map((sum, i) =>
      Math.max(this.min[i] ?? NaN, Math.min(this.max[i] ?? NaN, sum / (this.counts[i] ?? 0))),
    )
  }

  #add(timeMs: number, min: number, mean: number, max: number, count: number): void {
    const bin = Math.floor((timeMs - this.startMs) / this.stepMs)
    if (!(bin >= 0 && bin < this.count) || Number.isNaN(mean) || !(count > 0)) return
    if (!((this.min[bin] ?? NaN) <= min)) this.min[bin] = min
    if (!((this.max[bin] ?? NaN) >= max)) this.max[bin] = max
    this.#sums[bin] = (this.#sums[bin] ?? 0) + mean * count
    this.counts[bin] = (this.counts[bin] ?? 0) + count
  }
}

/** Columns of equal length: what was measured in each of some bins. */
export interface Summary {
  min: Float64Array
  mean: Float64Array
  max: Float64Array
  counts: Float64Array
}
