import { SlotGroup, type SeriesSlots } from '../slots.ts'
import { Bounds } from './bounds.ts'
import type { ByteReader } from './byte-reader.ts'
import { KeyedNumbers } from './keyed-numbers.ts'
import type { Section } from './section.ts'

const direct = [
  ['memory.total', 'MemTotal'],
  ['memory.free', 'MemFree'],
  ['memory.buffers', 'Buffers'],
  ['memory.cached', 'Cached'],
  ['memory.dirty', 'Dirty'],
  ['memory.writeback', 'Writeback'],
  ['memory.shared', 'Shmem'],
  ['memory.anonymous', 'AnonPages'],
  ['memory.mapped', 'Mapped'],
  ['memory.active', 'Active'],
  ['memory.inactive', 'Inactive'],
  ['memory.slab_reclaimable', 'SReclaimable'],
  ['memory.slab_unreclaimable', 'SUnreclaim'],
  ['memory.kernel_stacks', 'KernelStack'],
  ['memory.page_tables', 'PageTables'],
  ['memory.committed', 'Committed_AS'],
  ['memory.commit_limit', 'CommitLimit'],
  ['swap.total', 'SwapTotal'],
] as const

const bytesPerKilobyte = 1024

/**
 * /proc/meminfo within the bounds of this process: `memory.total`, `memory.available` and `memory.used` are those of its
 * cgroup where that has less than the machine. Cache that ZFS gives back when asked counts as available, if it lies in
 * the memory that this file describes: a container may see its own meminfo next to the machine's arcstats.
 */
export class MeminfoSection implements Section {
  readonly group: SlotGroup
  readonly #bounds: Bounds
  #fields = new KeyedNumbers([...direct.map(([, key]) => key), 'MemAvailable', 'SwapFree'])

  constructor(slots: SeriesSlots, bounds = new Bounds()) {
    this.group = new SlotGroup(slots)
    this.#bounds = bounds
  }

  parse(reader: ByteReader): void {
    const fields = this.#fields
    fields.parse(reader)
    for (const [name, key] of direct) {
      const kilobytes = fields.of(key)
      if (kilobytes >= 0) this.group.set(this.group.slot(name), kilobytes * bytesPerKilobyte)
    }
    const total = fields.of('MemTotal') * bytesPerKilobyte
    this.#setAvailable(
      total,
      this.#available() * bytesPerKilobyte,
      total - fields.of('MemFree') * bytesPerKilobyte,
    )
    const swapUsed = fields.of('SwapTotal') - fields.of('SwapFree')
    if (swapUsed >= 0) this.group.set(this.group.slot('swap.used'), swapUsed * bytesPerKilobyte)
  }

  #setAvailable(total: number, told: number, notFree: number): void {
    const { group } = this
    const { arcBytes, reclaimableBytes, memoryLimitBytes: limit, workingSetBytes } = this.#bounds
    const isCacheOurs = reclaimableBytes > 0 && arcBytes <= notFree
    let available = isCacheOurs ? Math.min(total, told + reclaimableBytes) : told
    let size = total
    if (limit < total && workingSetBytes >= 0) {
      size = limit
      available = Math.min(available, Math.max(0, limit - workingSetBytes))
      group.set(group.slot('memory.total'), limit)
    }
    if (!(available >= 0)) return
    group.set(group.slot('memory.available'), available)
    group.set(group.slot('memory.used'), Math.max(0, size - available))
  }

  /** Kernels before 3.14 and some containers have no MemAvailable: free and what can be given back at once. */
  #available(): number {
    const told = this.#fields.of('MemAvailable')
    if (told >= 0) return told
    const shared = this.#fields.of('Shmem')
    return this.#fields.sum('MemFree', 'Buffers', 'Cached', 'SReclaimable') - (shared >= 0 ? shared : 0)
  }
}
