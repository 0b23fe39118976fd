import type { SeriesName } from '../../../contract/index.ts'
import { SlotGroup, type SeriesSlots } from '../slots.ts'
import type { ByteReader } from './byte-reader.ts'
import type { Section } from './section.ts'

const slash = 47
const equals = 61
const perMicrosecond = 1e-6
/** What the kernel writes for "no limit" is far above; doubles are exact up to here. */
const unlimited = 2 ** 53

/** /proc/loadavg, which also counts the threads: `0.32 0.22 0.12 1/89 8165`. */
export class LoadSection implements Section {
  readonly group: SlotGroup

  constructor(slots: SeriesSlots) {
    this.group = new SlotGroup(slots)
  }

  parse(reader: ByteReader): void {
    for (const name of ['load.1m', 'load.5m', 'load.15m'] as const) {
      setIfKnown(this.group, name, reader.number())
    }
    if (reader.skipPast(slash)) setIfKnown(this.group, 'threads.count', reader.number())
  }
}

/** A file whose first numbers are values, in this order; undefined skips one. */
export class NumbersSection implements Section {
  readonly group: SlotGroup
  #names: readonly (SeriesName | undefined)[]

  constructor(slots: SeriesSlots, names: readonly (SeriesName | undefined)[]) {
    this.group = new SlotGroup(slots)
    this.#names = names
  }

  parse(reader: ByteReader): void {
    for (const name of this.#names) {
      const value = reader.number()
      if (name !== undefined && value < unlimited) setIfKnown(this.group, name, value)
    }
  }
}

/**
 * A file of /proc/pressure: `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`. The share is made from the
 * growth of `total` (microseconds), which has no smoothing.
 */
export class PressureSection implements Section {
  readonly group: SlotGroup
  #some: SeriesName | undefined
  #full: SeriesName | undefined

  constructor(slots: SeriesSlots, names: { some?: SeriesName; full?: SeriesName }) {
    this.group = new SlotGroup(slots)
    this.#some = names.some
    this.#full = names.full
  }

  parse(reader: ByteReader): void {
    for (; !reader.isAtEnd; reader.nextLine()) {
      const start = reader.word()
      const name = reader.bytes[start] === 's'.charCodeAt(0) ? this.#some : this.#full
      if (name === undefined) continue
      for (let column = 0; column < 4; column++) reader.skipPast(equals)
      const total = reader.number()
      if (total >= 0) this.group.rate(this.group.slot(name), total, perMicrosecond, 1)
    }
  }
}

function setIfKnown(group: SlotGroup, name: SeriesName, value: number): void {
  if (value >= 0) group.set(group.slot(name), value)
}
