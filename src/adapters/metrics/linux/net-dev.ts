import type { SeriesName } from '../../../contract/index.ts'
import { SlotGroup, type Slots } from '../slots.ts'
import { ByteNames } from './byte-names.ts'
import type { ByteReader } from './byte-reader.ts'
import type { Section } from './section.ts'

const colon = 58

/** Columns of /proc/net/dev behind the name; undefined is not kept. */
const columns: readonly (SeriesName | undefined)[] = [
  'network.received',
  'network.packets_received',
  'network.receive_errors',
  'network.receive_drops',
  undefined, // fifo
  undefined, // frame
  undefined, // compressed
  undefined, // multicast
  'network.sent',
  'network.packets_sent',
  'network.send_errors',
  'network.send_drops',
]

/**
 * Interfaces that stand for another one or for one container: their names come and go without end, and their
 * traffic is seen again on the bridge or the card they belong to.
 */
const ignored = /^(veth|cali|lxc|tap|tunl|vnet|fwbr|fwpr|fwln|ifb|dummy|sit|gre|erspan|ip6tnl|nodelocaldns)/

/** /proc/net/dev: traffic of each interface, lo included. */
export class NetDevSection implements Section {
  readonly group: SlotGroup
  #slotsByName = new ByteNames<readonly number[]>()

  constructor(slots: Slots) {
    this.group = new SlotGroup(slots)
  }

  parse(reader: ByteReader): void {
    for (; !reader.isAtEnd; reader.nextLine()) {
      reader.skipBlanks()
      const start = reader.at
      // The two lines of headings have no colon.
      if (!reader.skipPast(colon)) continue
      const slots = this.#slotsOf(reader, start, reader.at - 1)
      for (let column = 0; column < slots.length; column++) {
        const counter = reader.number()
        if (columns[column] !== undefined && counter >= 0) this.group.rate(slots[column]!, counter)
      }
    }
  }

  #slotsOf(reader: ByteReader, start: number, end: number): readonly number[] {
    const known = this.#slotsByName.get(reader.bytes, start, end)
    if (known !== undefined) return known
    const name = reader.text(start, end)
    const slots = ignored.test(name)
      ? []
      : columns.map((series) => (series === undefined ? -1 : this.group.slot(series, { interface: name })))
    this.#slotsByName.set(name, slots)
    return slots
  }
}
