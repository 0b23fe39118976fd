import type { SeriesKey } from '../../engine/telemetry/index.ts'
import { seriesNames, type SeriesName } from '../../contract/index.ts'

/** More than any host needs; a host that makes new device names without end must not fill the store. */
const maxSlotCount = 8192
/** A series without a value for this many rounds of its group is gone for good: its slot may be used again. */
const goneAfterRounds = 600

/** Where a value goes that found no slot. */
export const noSlot = -1

/**
 * The current values of one source and the catalogue that names them. An index means the same series until its slot is
 * recycled, which happens only to series that have been gone for long and only when there is no room; each change of
 * the catalogue raises `version`.
 */
export class SeriesSlots {
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
  #version = 0

  /** Another one after each change of the catalogue. */
  get version(): number {
    return this.#version
  }

  get isFull(): boolean {
    return this.series.length >= maxSlotCount
  }

  /** The index of this series; undefined when it has none. */
  find(name: SeriesName, labels: Record<string, string>): number | undefined {
    return this.#indexByKey.get(keyOf(name, labels))
  }

  /** Gives the slot of a series that is gone to another one. */
  recycle(index: number, name: SeriesName, labels: Record<string, string>): void {
    const before = this.series[index]
    if (before) this.#indexByKey.delete(keyOf(before.name as SeriesName, before.labels))
    this.series[index] = { name, labels, unit: seriesNames[name] }
    this.#indexByKey.set(keyOf(name, labels), index)
    this.values[index] = this.counters[index] = NaN
    this.rounds[index] = 0
    this.#version += 1
  }

  /** The index of this series, appended when new; `noSlot` when there is no room. */
  slot(name: SeriesName, labels: Record<string, string> = {}): number {
    const known = this.find(name, labels)
    if (known !== undefined) return known
    if (this.isFull) return noSlot
    const index = this.series.push({ name, labels, unit: seriesNames[name] }) - 1
    this.#indexByKey.set(keyOf(name, labels), index)
    this.#version += 1
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

const keyOf = (name: SeriesName, labels: Record<string, string>): string => JSON.stringify([name, labels])

/**
 * The slots that one file or call fills. Each round of values stands between `begin` and `end`; a slot that got
 * none in a round (a device that is gone, a file that is unreadable) becomes NaN.
 */
export class SlotGroup {
  /** Length of the round in progress; NaN when there is no round before it to measure from. */
  elapsedSeconds = NaN
  #slots: SeriesSlots
  #round = 0
  #owned: number[] = []
  #isOwned = new Set<number>()
  #plain = new Map<SeriesName, number>()
  readonly #maxSlots: number
  #generation = 0

  /** `maxSlots` bounds what devices that come and go may take; beyond it, slots of those long gone are recycled. */
  constructor(slots: SeriesSlots, { maxSlots = Infinity }: { maxSlots?: number } = {}) {
    this.#slots = slots
    this.#maxSlots = maxSlots
  }

  /** Another number once a slot of this group was recycled: indices that were kept may belong to another series. */
  get generation(): number {
    return this.#generation
  }

  /** The index of this series, appended when new. Without labels it costs nothing to ask again. */
  slot(name: SeriesName, labels?: Record<string, string>): number {
    if (labels !== undefined) return this.#labeled(name, labels)
    const known = this.#plain.get(name)
    if (known !== undefined) return known
    const index = this.#own(this.#slots.slot(name))
    this.#plain.set(name, index)
    return index
  }

  /** Whether this series has a slot. */
  has(name: SeriesName, labels: Record<string, string>): boolean {
    return this.#slots.find(name, labels) !== undefined
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

  #labeled(name: SeriesName, labels: Record<string, string>): number {
    const known = this.#slots.find(name, labels)
    if (known !== undefined) return this.#own(known)
    if (this.#owned.length < this.#maxSlots && !this.#slots.isFull) {
      return this.#own(this.#slots.slot(name, labels))
    }
    const gone = this.#owned.find((slot) => this.#round - this.#slots.rounds[slot]! > goneAfterRounds)
    if (gone === undefined) return noSlot
    this.#generation += 1
    this.#slots.recycle(gone, name, labels)
    // It counts as written now, so that one new device does not take the slot from another in the same round.
    this.#slots.rounds[gone] = this.#round
    return gone
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
