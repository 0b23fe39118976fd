import { growth, SlotGroup, type SeriesSlots } from '../slots.ts'
import { ByteNames } from './byte-names.ts'
import type { ByteReader } from './byte-reader.ts'
import type { Section } from './section.ts'

/** Of the kernel's Documentation/admin-guide/iostats.rst: a sector is 512 bytes whatever the device says. */
const sectorBytes = 512
const perMillisecond = 1e-3

/** Columns behind the name. */
const columns = {
  reads: 0,
  sectorsRead: 2,
  readMs: 3,
  writes: 4,
  sectorsWritten: 6,
  writeMs: 7,
  busyMs: 9,
  weightedMs: 10,
} as const
const columnCount = 11

/** Memory, files and drives for removable discs; the hidden paths of multipath NVMe. */
const ignored = /^(loop|ram|zram|fd|sr|nbd)\d+$|^nvme\d+c\d+n\d+$/

/** 256 disks with their 8 series. */
const maxSlots = 2048
const maxNames = 8192

interface Disk {
  slots: Record<'read' | 'written' | 'reads' | 'writes' | 'busy' | 'queue' | 'readWait' | 'writeWait', number>
  counters: Float64Array
  previous: Float64Array
}

/** /proc/diskstats: work of each whole disk, dm and md included, partitions not. */
export class DiskstatsSection implements Section {
  readonly group: SlotGroup
  #disks = new ByteNames<Disk | 'ignored'>()
  /** Of all devices but partitions, in their order. */
  #names: string[] = []
  #generation = 0

  constructor(slots: SeriesSlots) {
    this.group = new SlotGroup(slots, { maxSlots })
  }

  parse(reader: ByteReader): void {
    if (this.#disks.size > maxNames) this.#forget()
    for (; !reader.isAtEnd; reader.nextLine()) {
      const major = reader.number()
      const minor = reader.number()
      if (Number.isNaN(major) || Number.isNaN(minor)) continue
      const start = reader.word()
      if (reader.at === start) continue
      const disk = this.#diskOf(reader, start, reader.at)
      if (disk !== 'ignored') this.#parseDisk(reader, disk)
    }
  }

  #parseDisk(reader: ByteReader, disk: Disk): void {
    const { group } = this
    const { slots, counters, previous } = disk
    previous.set(counters)
    for (let column = 0; column < columnCount; column++) counters[column] = reader.number()
    // Very old kernels give partitions four columns; a line cut short says nothing.
    if (Number.isNaN(counters[columnCount - 1])) {
      counters.fill(NaN)
      return
    }
    group.rate(slots.read, counters[columns.sectorsRead]!, sectorBytes)
    group.rate(slots.written, counters[columns.sectorsWritten]!, sectorBytes)
    group.rate(slots.reads, counters[columns.reads]!)
    group.rate(slots.writes, counters[columns.writes]!)
    group.rate(slots.busy, counters[columns.busyMs]!, perMillisecond, 1)
    group.rate(slots.queue, counters[columns.weightedMs]!, perMillisecond)
    group.set(slots.readWait, this.#wait(disk, columns.readMs, columns.reads))
    group.set(slots.writeWait, this.#wait(disk, columns.writeMs, columns.writes))
  }

  /** Seconds a finished request took on average; 0 when none was finished, NaN when that is unknown. */
  #wait({ counters, previous }: Disk, timeColumn: number, countColumn: number): number {
    const milliseconds = growth(previous[timeColumn]!, counters[timeColumn]!)
    const count = growth(previous[countColumn]!, counters[countColumn]!)
    if (Number.isNaN(this.group.elapsedSeconds) || !(milliseconds >= 0 && count >= 0)) return NaN
    return count === 0 ? 0 : (milliseconds / count) * perMillisecond
  }

  #diskOf(reader: ByteReader, start: number, end: number): Disk | 'ignored' {
    // A slot of a disk that is gone was given to another one: what is remembered may be wrong.
    if (this.group.generation !== this.#generation) this.#forget()
    this.#generation = this.group.generation
    const known = this.#disks.get(reader.bytes, start, end)
    if (known !== undefined) return known
    const name = reader.text(start, end)
    const isPartition = this.#isPartition(name)
    const made = isPartition || ignored.test(name) ? 'ignored' : this.#makeDisk(name)
    // Also of disks that are left out: their partitions are left out with them.
    if (!isPartition) this.#names.push(name)
    this.#disks.set(name, made)
    return made
  }

  #forget(): void {
    this.#disks.clear()
    this.#names = []
  }

  /** A partition is named after a disk that stands before it: sda1, nvme0n1p1. xvda1 alone is a disk. */
  #isPartition(name: string): boolean {
    return this.#names.some(
      (disk) =>
        name.startsWith(disk) && (/\d$/.test(disk) ? /^p\d+$/ : /^\d+$/).test(name.slice(disk.length)),
    )
  }

  #makeDisk(device: string): Disk {
    const labels = { device }
    return {
      slots: {
        read: this.group.slot('disk.read', labels),
        written: this.group.slot('disk.written', labels),
        reads: this.group.slot('disk.reads', labels),
        writes: this.group.slot('disk.writes', labels),
        busy: this.group.slot('disk.busy', labels),
        queue: this.group.slot('disk.queue', labels),
        readWait: this.group.slot('disk.read_wait', labels),
        writeWait: this.group.slot('disk.write_wait', labels),
      },
      counters: new Float64Array(columnCount).fill(NaN),
      previous: new Float64Array(columnCount).fill(NaN),
    }
  }
}
