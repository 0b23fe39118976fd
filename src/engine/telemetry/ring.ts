/** Chosen columns of the ring over a stretch of time, oldest row first. */
export interface RingWindow {
  /** Wall time of each row, UTC epoch ms, in the order the rows came. */
  timesMs: Float64Array
  /** One column for each slot asked for; NaN is "not measured". */
  columns: Float64Array[]
}

/**
 * The newest rows of one host in memory: a column of doubles for each slot of its catalogue, and two time columns. At
 * capacity the oldest row goes. Slots that come later read NaN before their first row. A column's memory is touched
 * only as rows fill it: 8 bytes a value, at most capacity × (slots + 2).
 */
export class SampleRing {
  readonly capacity: number
  readonly #timesMs: Float64Array
  readonly #elapsedMs: Float64Array
  readonly #columns: Float64Array[] = []
  /** Number of the first row each column has; earlier ones hold nothing. */
  readonly #firstRow: number[] = []
  #rowCount = 0

  /** `capacity` is in rows; the default is an hour at 1 Hz. */
  constructor(capacity = 3600) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError('a ring holds at least one row')
    this.capacity = capacity
    this.#timesMs = new Float64Array(capacity)
    this.#elapsedMs = new Float64Array(capacity)
  }

  /** Rows held now. */
  get length(): number {
    return Math.min(this.#rowCount, this.capacity)
  }

  get slotCount(): number {
    return this.#columns.length
  }

  /**
   * Adds a row and copies `values`; `values[i]` belongs to slot i, slots beyond its end read NaN. `atMs` is wall time
   * and may jump; `elapsedMs` is the ring's own measure of time and never goes back.
   */
  append(atMs: number, elapsedMs: number, values: Float64Array): void {
    while (this.#columns.length < values.length) {
      this.#columns.push(new Float64Array(this.capacity))
      this.#firstRow.push(this.#rowCount)
    }
    const position = this.#rowCount % this.capacity
    this.#timesMs[position] = atMs
    this.#elapsedMs[position] = elapsedMs
    for (let slot = 0; slot < this.#columns.length; slot++) {
      const column = this.#columns[slot]
      if (column) column[position] = values[slot] ?? NaN
    }
    this.#rowCount += 1
  }

  /** Empties a column whose slot belongs to another series from the next row on. */
  forget(slot: number): void {
    if (slot < this.#firstRow.length) this.#firstRow[slot] = this.#rowCount
  }

  /** Wall time of the row `back` rows before the newest (0); NaN where there is none. */
  timeMs(back: number): number {
    return this.#has(back) ? (this.#timesMs[this.#position(back)] ?? NaN) : NaN
  }

  /** Elapsed time of the row `back` rows before the newest (0); NaN where there is none. */
  elapsedMs(back: number): number {
    return this.#has(back) ? (this.#elapsedMs[this.#position(back)] ?? NaN) : NaN
  }

  /** Value of `slot` in the row `back` rows before the newest (0); NaN where there is none. */
  value(slot: number, back: number): number {
    const row = this.#rowCount - 1 - back
    if (!this.#has(back) || row < (this.#firstRow[slot] ?? Infinity)) return NaN
    return this.#columns[slot]?.[this.#position(back)] ?? NaN
  }

  /** How many of the newest rows lie less than `durationMs` of elapsed time before the newest one. */
  countSince(durationMs: number): number {
    const afterMs = this.elapsedMs(0) - durationMs
    let inside = 0
    let outside = this.length
    while (inside < outside) {
      const middle = (inside + outside) >> 1
      if (this.elapsedMs(middle) > afterMs) inside = middle + 1
      else outside = middle
    }
    return inside
  }

  /** The rows whose wall time is in [fromMs, toMs], as columns of `slots`. Times may step back where the clock did. */
  window(fromMs: number, toMs: number, slots: readonly number[]): RingWindow {
    const backs: number[] = []
    for (let back = this.length - 1; back >= 0; back--) {
      const atMs = this.timeMs(back)
      if (atMs >= fromMs && atMs <= toMs) backs.push(back)
    }
    return {
      timesMs: Float64Array.from(backs, (back) => this.timeMs(back)),
      columns: slots.map((slot) => Float64Array.from(backs, (back) => this.value(slot, back))),
    }
  }

  #has(back: number): boolean {
    return back >= 0 && back < this.length
  }

  #position(back: number): number {
    return (this.#rowCount - 1 - back) % this.capacity
  }
}
