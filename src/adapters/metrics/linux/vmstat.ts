import { SlotGroup, type SeriesSlots } from '../slots.ts'
import type { ByteReader } from './byte-reader.ts'
import { KeyedNumbers } from './keyed-numbers.ts'
import type { Section } from './section.ts'

const keys = [
  'pgfault',
  'pgmajfault',
  'pswpin',
  'pswpout',
  'pgpgin',
  'pgpgout',
  'pgscan_kswapd',
  'pgscan_direct',
  'oom_kill',
] as const

/** series, key, unit of the counter in the series' unit */
const rates = [
  ['paging.faults', 'pgfault', 1],
  ['paging.major_faults', 'pgmajfault', 1],
  ['paging.swap_in', 'pswpin', 1],
  ['paging.swap_out', 'pswpout', 1],
  ['paging.read', 'pgpgin', 1024],
  ['paging.written', 'pgpgout', 1024],
  ['paging.scanned_in_background', 'pgscan_kswapd', 1],
  ['paging.scanned_directly', 'pgscan_direct', 1],
  ['paging.oom_kills', 'oom_kill', 1],
] as const

/** /proc/vmstat: paging. */
export class VmstatSection implements Section {
  readonly group: SlotGroup
  #fields = new KeyedNumbers(keys)

  constructor(slots: SeriesSlots) {
    this.group = new SlotGroup(slots)
  }

  parse(reader: ByteReader): void {
    this.#fields.parse(reader)
    for (const [name, key, scale] of rates) {
      const counter = this.#fields.of(key)
      if (counter >= 0) this.group.rate(this.group.slot(name), counter, scale)
    }
  }
}
