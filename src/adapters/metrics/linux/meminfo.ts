import { SlotGroup, type Slots } from '../slots.ts'
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

/** /proc/meminfo. */
export class MeminfoSection implements Section {
  readonly group: SlotGroup
  #fields = new KeyedNumbers([...direct.map(([, key]) => key), 'MemAvailable', 'SwapFree'])

  constructor(slots: Slots) {
    this.group = new SlotGroup(slots)
  }

  parse(reader: ByteReader): void {
    const fields = this.#fields
    fields.parse(reader)
    for (const [name, key] of direct) {
      const kilobytes = fields.of(key)
      if (kilobytes >= 0) this.group.set(this.group.slot(name), kilobytes * bytesPerKilobyte)
    }
    const available = this.#available()
    if (available >= 0) {
      this.group.set(this.group.slot('memory.available'), available * bytesPerKilobyte)
      const used = Math.max(0, fields.of('MemTotal') - available)
      this.group.set(this.group.slot('memory.used'), used * bytesPerKilobyte)
    }
    const swapUsed = fields.of('SwapTotal') - fields.of('SwapFree')
    if (swapUsed >= 0) this.group.set(this.group.slot('swap.used'), swapUsed * bytesPerKilobyte)
  }

  /** Kernels before 3.14 and some containers have no MemAvailable: free and what can be given back at once. */
  #available(): number {
    const told = this.#fields.of('MemAvailable')
    if (told >= 0) return told
    const shared = this.#fields.of('Shmem')
    return this.#fields.sum('MemFree', 'Buffers', 'Cached', 'SReclaimable') - (shared >= 0 ? shared : 0)
  }
}
