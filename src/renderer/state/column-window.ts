/**
 * The last `spanMs` of one series as two typed arrays. Kept in one stretch of memory, so that reading is a view
 * and never a copy; bounded by time and by `maxSamples`.
 */
export class ColumnWindow {
  #spanMs: number
  #maxSamples: number
  #times = new Float64Array(256)
  #values = new Float64Array(256)
  #start = 0
  #end = 0

  constructor(spanMs: number, maxSamples = 20_000) {
    this.#spanMs = spanMs
    this.#maxSamples = maxSamples
  }

  get spanMs(): number {
    return this.#spanMs
  }
  get length(): number {
    return this.#end - this.#start
  }
  /** Ascending. A view: valid until the next change of the window. */
  get timesMs(): Float64Array {
    return this.#times.subarray(this.#start, this.#end)
  }
  /** As `timesMs`; NaN is "not measured". */
  get values(): Float64Array {
    return this.#values.subarray(this.#start, this.#end)
  }
  /** Time of the newest sample, or -Infinity. */
  get lastMs(): number {
    return this.length === 0 ? -Infinity : (this.#times[this.#end - 1] ?? -Infinity)
  }

  widen(spanMs: number): void {
    this.#spanMs = Math.max(this.#spanMs, spanMs)
  }

  /** Appends a sample; one that is not newer than the last is dropped. */
  push(timeMs: number, value: number): void {
    if (!(timeMs > this.lastMs)) return
    if (this.#end === this.#times.length) this.#makeRoom()
    this.#times[this.#end] = timeMs
    this.#values[this.#end] = value
    this.#end += 1
    this.#forget()
  }

  /** Puts what the engine holds in place of what is here; samples newer than all of it stay. */
  fill(timesMs: Float64Array, values: Float64Array): void {
    const upToMs = timesMs.at(-1) ?? -Infinity
    const newer: [number, number][] = []
    for (let at = this.#start; at < this.#end; at++) {
      const timeMs = this.#times[at] ?? 0
      if (timeMs > upToMs) newer.push([timeMs, this.#values[at] ?? Number.NaN])
    }
    this.clear()
    timesMs.forEach((timeMs, at) => this.push(timeMs, values[at] ?? Number.NaN))
    for (const [timeMs, value] of newer) this.push(timeMs, value)
  }

  clear(): void {
    this.#start = 0
    this.#end = 0
  }

  #forget(): void {
    const oldestMs = this.lastMs - this.#spanMs
    while (this.length > this.#maxSamples || (this.#times[this.#start] ?? Infinity) < oldestMs)
      this.#start += 1
  }

  #makeRoom(): void {
    const { timesMs, values, length } = this
    // Half empty after forgetting: move to the front. Else double.
    const capacity = length * 2 > this.#times.length ? this.#times.length * 2 : this.#times.length
    const times = new Float64Array(capacity)
    const kept = new Float64Array(capacity)
    times.set(timesMs)
    kept.set(values)
    this.#times = times
    this.#values = kept
    this.#start = 0
    this.#end = length
  }
}
