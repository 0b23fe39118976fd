import type { SeriesName } from '../../../contract/index.ts'
import { noSlot, SlotGroup, type SeriesSlots } from '../slots.ts'
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
 * Interfaces without series, by the whole name that their maker gives them: `green0`, `tap0` and `lxcbr0` are none.
 *
 * The ends of single containers and guests come and go without end, and their traffic is seen again on a bridge. The
 * others are the kernel's own helpers: ends of queues, and the tunnel numbered 0 that is there with each tunnel module
 * and leads nowhere. A tunnel or tap that someone made is a link of its own.
 */
const ignored = new RegExp(
  `^(${[
    'veth.*', // Docker, LXC, CNI and Proxmox containers
    'cali[0-9a-f]{11}', // Calico
    'lxc([0-9a-f]+|_health)', // Cilium
    String.raw`vnet\d+`, // libvirt
    String.raw`tap(\d+i\d+|[0-9a-f]{8}-[0-9a-f]{2})`, // Proxmox guests, OpenStack
    String.raw`fw(br|pr|ln)\d+[ip]\d+`, // Proxmox firewall
    String.raw`ifb(\d+|4.+)`,
    String.raw`dummy\d+`,
    '(tunl|sit|gre|gretap|erspan|ip6tnl|ip6gre|ip_vti|ip6_vti)0',
    'nodelocaldns',
  ].join('|')})$`,
)

/** 512 interfaces with their 8 series. */
const maxSlots = 4096
/**
 * New names within so many rounds that get their series at once. Where more come, as on a build machine, an interface
 * must first have been there for a while: those of a build live for seconds.
 */
const newcomerLimit = 32
const newcomerRounds = 600
const admittedAfterRounds = 30
/** How often an interface that found no room asks again. */
const retryRounds = 60
/** Names that are remembered, interfaces that are ignored included. */
const maxNames = 8192

interface Interface {
  name: string
  isIgnored: boolean
  roundCount: number
  /** None while it is ignored, has not been there for long enough or found no room. */
  slots: readonly number[]
  /** Of the group when `slots` were looked up. */
  generation: number
}

/** /proc/net/dev: traffic of each interface, lo included. */
export class NetDevSection implements Section {
  readonly group: SlotGroup
  #interfaces = new ByteNames<Interface>()
  #round = 0
  #newcomerCount = 0

  constructor(slots: SeriesSlots) {
    this.group = new SlotGroup(slots, { maxSlots })
  }

  parse(reader: ByteReader): void {
    this.#parseLines(reader)
    this.#round += 1
    if (this.#round % newcomerRounds === 0) this.#newcomerCount = 0
    if (this.#interfaces.size > maxNames) this.#interfaces.clear()
  }

  #parseLines(reader: ByteReader): void {
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
    let known = this.#interfaces.get(reader.bytes, start, end)
    if (known === undefined) {
      const name = reader.text(start, end)
      known = { name, isIgnored: ignored.test(name), roundCount: 0, slots: [], generation: -1 }
      this.#interfaces.set(known.name, known)
    }
    known.roundCount += 1
    const { group } = this
    // Once a slot of the group was recycled, it may have been one of these.
    const isCurrent = known.generation === group.generation
    const isRetry = known.slots.length === 0 && known.roundCount % retryRounds === 0
    if ((!isCurrent || isRetry) && this.#isAdmitted(known)) {
      const labels = { interface: known.name }
      const slots = columns.map((series) => (series === undefined ? noSlot : group.slot(series, labels)))
      known.slots = slots[0] === noSlot ? [] : slots
      known.generation = group.generation
    }
    return known.slots
  }

  #isAdmitted({ name, isIgnored, roundCount }: Interface): boolean {
    if (isIgnored) return false
    if (this.#round === 0 || roundCount > admittedAfterRounds) return true
    if (this.group.has('network.received', { interface: name })) return true
    if (roundCount > 1 || this.#newcomerCount >= newcomerLimit) return false
    this.#newcomerCount += 1
    return true
  }
}
