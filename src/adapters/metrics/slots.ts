import type { SeriesKey } from '../../engine/telemetry/index.ts'
import { seriesNames, type SeriesName } from '../../contract/index.ts'

/** More than any host needs; a host that makes new device names without end must not fill the store. */
const maxSlotCount = 8192

/** Where a value goes that found no slot. */
const noSlot = -1

/**
 * The current values of one source and the catalogue that names them. Slots are only ever appended, so an index
 * means the same series for the life of the source.
 */
export class Slots {
  readonly series: SeriesKey[] = []
  /** Longer than `series`; only the first `series.length` count. */
  values = new Float64Array(128).fill(NaN)
  /** The last raw counter of each slot, for its group. */
  counters = new Float64Array(128).fill(NaN)
  /** The round of its group in which each slot was last written. */
  rounds = new Float64Array(128)
  /** Slots whose counter went back since the last `clearResets`. */
  readonly resets: number[] = []
  #indexByKey = new Map<string, number>()

  /** Grows with every appended slot. */
  get version(): number {
    return this.series.length
  }

  /** The index of this series, appended when new. */
  slot(name: SeriesName, labels: Record<string, string> = {}): number {
    const key = JSON.stringify([name, labels])
    const known = this.#indexByKey.get(key)
    if (known !== undefined) return known
    if (this.series.length >= maxSlotCount) return noSlot
    const index = this.series.push({ name, labels, unit: seriesNames[name] }) - 1
    this.#indexByKey.set(key, index)
    if (index >= this.values.length) {
      this.values = grown(this.values)
      this.counters = grown(this.counters)
      this.rounds = grown(this.rounds)
    }
    return index
  }

  /** The values as they stand, safe to keep. */
  copy(): Float64Array {
    return this.values.slice(0, this.series.length)
  }
}

/**
 * The slots that one file or call fills. Each round of values stands between `begin` and `end`; a slot that got
 * none in a round (a device that is gone, a file that is unreadable) becomes NaN.
 */
export class SlotGroup {
  /** Length of the round in progress; NaN when there is no round before it to measure from. */
  elapsedSeconds = NaN
  #slots: Slots
  #round = 0
  #owned: number[] = []
  #isOwned = new Set<number>()
  #plain = new Map<SeriesName, number>()

  constructor(slots: Slots) {
    this.#slots = slots
  }

  /** The index of this series, appended when new. Without labels it costs nothing to ask again. */
  slot(name: SeriesName, labels?: Record<string, string>): number {
    if (labels !== undefined) return this.#own(this.#slots.slot(name, labels))
    const known = this.#plain.get(name)
    if (known !== undefined) return known
    const index = this.#own(this.#slots.slot(name))
    this.#plain.set(name, index)
    return index
  }

  begin(elapsedSeconds: number): void {
    this.#round++
    this.elapsedSeconds = elapsedSeconds
  }

  set(slot: number, value: number): void {
    if (slot === noSlot) return
    this.#slots.values[slot] = value
    this.#slots.rounds[slot] = this.#round
  }

  /** The value is unknown this round because its counter went back. */
  reset(slot: number): void {
    if (slot === noSlot) return
    this.set(slot, NaN)
    this.#slots.resets.push(slot)
  }

  /** Sets the growth of `counter` a second, times `scale`, at most `atMost`. */
  rate(slot: number, counter: number, scale = 1, atMost = Infinity): void {
    if (slot === noSlot) return
    const grown = growth(this.#slots.counters[slot]!, counter)
    this.#slots.counters[slot] = counter
    if (grown < 0) this.reset(slot)
    else this.set(slot, Math.min((grown * scale) / this.elapsedSeconds, atMost))
  }

  end(): void {
    for (let i = 0; i < this.#owned.length; i++) {
      const slot = this.#owned[i]!
      if (this.#slots.rounds[slot] === this.#round) continue
      this.#slots.values[slot] = NaN
      this.#slots.counters[slot] = NaN
    }
  }

  #own(index: number): number {
    if (index !== noSlot && !this.#isOwned.has(index)) {
      this.#isOwned.add(index)
      this.#owned.push(index)
    }
    return index
  }
}

/**
 * How far a counter went from `before` to `now`: negative when it was set back, NaN when either is unknown.
 * Old drivers and the millisecond fields of disks count in 32 bits and wrap; a fall from the last sixteenth of
 * that range to its beginning is taken as one (at 1 Hz: up to 2 Gbit/s).
 */
export function growth(before: number, now: number): number {
  if (now >= before) return now - before
  const wrapped = now + 2 ** 32 - before
  return before < 2 ** 32 && wrapped < 2 ** 28 ? wrapped : now - before
}

function grown(values: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(values.length * 2).fill(NaN)
  larger.set(values)
  return larger
}
