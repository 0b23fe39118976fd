/**
 * Counters over a rolling window: `kindCount` kinds for each slot, in buckets by time. It starts with one slot. The oldest bucket is dropped
 * whole, so that a total covers between the window less one bucket and the window.
 */
export class RollingCounts {
  readonly #kindCount: number
  readonly #bucketMs: number
  readonly #buckets: Uint32Array[]
  #slotCount = 0
  #bucket = -Infinity
  #nowMs = 0

  constructor(kindCount: number, options: { windowMs?: number; bucketCount?: number } = {}) {
    const { windowMs = 3_600_000, bucketCount = 12 } = options
    this.#kindCount = kindCount
    this.#bucketMs = windowMs / bucketCount
    this.#buckets = Array.from({ length: bucketCount }, () => new Uint32Array(0))
    this.grow(1)
  }

  /** Makes room for `slotCount` slots; never shrinks. */
  grow(slotCount: number): void {
    if (slotCount <= this.#slotCount) return
    this.#slotCount = slotCount
    this.#buckets.forEach((old, i) => {
      const wider = new Uint32Array(slotCount * this.#kindCount)
      wider.set(old)
      this.#buckets[i] = wider
    })
  }

  /** All counts of a slot become 0. */
  clear(slot: number): void {
    for (const counts of this.#buckets) counts.fill(0, slot * this.#kindCount, (slot + 1) * this.#kindCount)
  }

  /** Moves the window to `nowMs` (any clock that does not go back; earlier times are ignored). */
  advance(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs)
    const bucket = Math.floor(nowMs / this.#bucketMs)
    if (bucket <= this.#bucket) return
    const first = Math.max(this.#bucket + 1, bucket - this.#buckets.length + 1)
    for (let each = first; each <= bucket; each++) this.#at(each).fill(0)
    this.#bucket = bucket
  }

  add(kind: number, slot = 0): void {
    const counts = this.#at(this.#bucket)
    const index = slot * this.#kindCount + kind
    counts[index] = (counts[index] ?? 0) + 1
  }

  total(kind: number, slot = 0): number {
    const index = slot * this.#kindCount + kind
    let total = 0
    for (const counts of this.#buckets) total += counts[index] ?? 0
    return total
  }

  /** How much time totals cover as of the last `advance`, ms, when counting began long enough ago. */
  coveredMs(): number {
    return this.#nowMs - (this.#bucket - this.#buckets.length + 1) * this.#bucketMs
  }

  #at(bucket: number): Uint32Array {
    const { length } = this.#buckets
    const counts = this.#buckets[((bucket % length) + length) % length]
    if (!counts) throw new Error('counted before the window was placed in time')
    return counts
  }
}
