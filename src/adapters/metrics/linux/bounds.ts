import { growth, SlotGroup, type SeriesSlots } from '../slots.ts'
import type { ByteReader } from './byte-reader.ts'
import { KeyedNumbers } from './keyed-numbers.ts'
import type { Section } from './section.ts'

/**
 * What bounds this machine's figures beside /proc/meminfo and /proc/stat: memory that ZFS gives back when asked, and the
 * cgroup limits of this process. Filled by the sections below, which are read before the two that use it. NaN is
 * "does not apply".
 */
export class Bounds {
  /** The ZFS cache (ARC), all of it. */
  arcBytes = NaN
  /** The ZFS cache above its minimum. */
  reclaimableBytes = NaN
  memoryLimitBytes = NaN
  memoryUsageBytes = NaN
  inactiveFileBytes = NaN
  quotaMicroseconds = NaN
  periodMicroseconds = NaN
  /** CPU time used in the group, as a share of what its quota allows. */
  cpuBusy = NaN

  /** Memory that the group uses and cannot give back: what `kubectl top` calls the working set. */
  get workingSetBytes(): number {
    const inactive = this.inactiveFileBytes
    return Math.max(0, this.memoryUsageBytes - (inactive >= 0 ? inactive : 0))
  }
}

/** A file of which one or two numbers go into the bounds. It has no series of its own. */
class BoundsSection implements Section {
  readonly group: SlotGroup
  readonly #take: (reader: ByteReader | null, group: SlotGroup) => void

  constructor(slots: SeriesSlots, take: (reader: ByteReader | null, group: SlotGroup) => void) {
    this.group = new SlotGroup(slots)
    this.#take = take
  }

  parse(reader: ByteReader): void {
    this.#take(reader, this.group)
  }

  absent(): void {
    this.#take(null, this.group)
  }
}

/** One number: the whole file; `max` and what is not a number become NaN. */
export const numberSection = (
  slots: SeriesSlots,
  bounds: Bounds,
  field: 'memoryLimitBytes' | 'memoryUsageBytes' | 'quotaMicroseconds' | 'periodMicroseconds',
): Section =>
  new BoundsSection(slots, (reader) => {
    bounds[field] = reader?.number() ?? NaN
  })

/** cpu.max of version 2: `QUOTA PERIOD`, or `max PERIOD`. */
export const cpuMaxSection = (slots: SeriesSlots, bounds: Bounds): Section =>
  new BoundsSection(slots, (reader) => {
    bounds.quotaMicroseconds = reader?.number() ?? NaN
    bounds.periodMicroseconds = reader?.number() ?? NaN
  })

/** memory.stat: page cache that has not been used lately. */
export function memoryStatSection(slots: SeriesSlots, bounds: Bounds, inactiveFileKey: string): Section {
  const fields = new KeyedNumbers([inactiveFileKey])
  return new BoundsSection(slots, (reader) => {
    if (reader) fields.parse(reader)
    bounds.inactiveFileBytes = reader ? fields.of(inactiveFileKey) : NaN
  })
}

/** CPU time of the group: `usageKey` of cpu.stat in microseconds, or without a key cpuacct.usage in nanoseconds. */
export function cpuUsageSection(slots: SeriesSlots, bounds: Bounds, usageKey: string | null): Section {
  const fields = new KeyedNumbers([usageKey ?? ''])
  let before = NaN
  return new BoundsSection(slots, (reader, group) => {
    if (reader && usageKey !== null) fields.parse(reader)
    const used = !reader ? NaN : usageKey === null ? reader.number() / 1000 : fields.of(usageKey)
    const grown = growth(before, used)
    before = used
    const cores = bounds.quotaMicroseconds / bounds.periodMicroseconds
    bounds.cpuBusy = grown >= 0 && cores > 0 ? Math.min(1, grown / 1e6 / group.elapsedSeconds / cores) : NaN
  })
}

/** /proc/spl/kstat/zfs/arcstats: `name type data` in each line. */
export function arcstatsSection(slots: SeriesSlots, bounds: Bounds): Section {
  return new BoundsSection(slots, (reader) => {
    let size = NaN
    let least = NaN
    for (; reader && !reader.isAtEnd; reader.nextLine()) {
      const start = reader.word()
      const name = reader.at - start <= 5 ? reader.text(start, reader.at) : ''
      if (name !== 'size' && name !== 'c_min') continue
      reader.number()
      if (name === 'size') size = reader.number()
      else least = reader.number()
    }
    bounds.arcBytes = size
    bounds.reclaimableBytes = Math.max(0, size - least)
  })
}
