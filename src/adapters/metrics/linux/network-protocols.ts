import { SlotGroup, type SeriesSlots } from '../slots.ts'
import type { ByteReader } from './byte-reader.ts'
import { ProtocolNumbers } from './protocol-numbers.ts'
import type { Section } from './section.ts'

const socketGauges = [
  ['sockets.used', 'sockets.used'],
  ['sockets.tcp_in_use', 'TCP.inuse'],
  ['sockets.tcp_orphaned', 'TCP.orphan'],
  ['sockets.tcp_time_wait', 'TCP.tw'],
  ['sockets.tcp_allocated', 'TCP.alloc'],
  ['sockets.udp_in_use', 'UDP.inuse'],
] as const

const socketPages = [
  ['sockets.tcp_memory', 'TCP.mem'],
  ['sockets.udp_memory', 'UDP.mem'],
] as const

/** /proc/net/sockstat: sockets in use of IPv4, and those of all families where the kernel counts them together. */
export class SockstatSection implements Section {
  readonly group: SlotGroup
  #numbers = new ProtocolNumbers([
    ...socketGauges.map(([, key]) => key),
    ...socketPages.map(([, key]) => key),
  ])
  #pageBytes: number

  constructor(slots: SeriesSlots, pageBytes: number) {
    this.group = new SlotGroup(slots)
    this.#pageBytes = pageBytes
  }

  parse(reader: ByteReader): void {
    this.#numbers.clear()
    this.#numbers.parsePairs(reader)
    for (const [name, key] of socketGauges) {
      const value = this.#numbers.of(key)
      if (value >= 0) this.group.set(this.group.slot(name), value)
    }
    for (const [name, key] of socketPages) {
      const pages = this.#numbers.of(key)
      if (pages >= 0) this.group.set(this.group.slot(name), pages * this.#pageBytes)
    }
  }
}

/** /proc/net/sockstat6: what IPv6 adds. */
export class Sockstat6Section implements Section {
  readonly group: SlotGroup
  #numbers = new ProtocolNumbers(['TCP6.inuse', 'UDP6.inuse'])

  constructor(slots: SeriesSlots) {
    this.group = new SlotGroup(slots)
  }

  parse(reader: ByteReader): void {
    this.#numbers.clear()
    this.#numbers.parsePairs(reader)
    const tcp = this.#numbers.of('TCP6.inuse')
    const udp = this.#numbers.of('UDP6.inuse')
    if (tcp >= 0) this.group.set(this.group.slot('sockets.tcp6_in_use'), tcp)
    if (udp >= 0) this.group.set(this.group.slot('sockets.udp6_in_use'), udp)
  }
}

const counters = [
  ['tcp.opened', 'Tcp.ActiveOpens'],
  ['tcp.accepted', 'Tcp.PassiveOpens'],
  ['tcp.failed', 'Tcp.AttemptFails'],
  ['tcp.resets', 'Tcp.EstabResets'],
  ['tcp.retransmitted', 'Tcp.RetransSegs'],
  ['tcp.segments_received', 'Tcp.InSegs'],
  ['tcp.segments_sent', 'Tcp.OutSegs'],
  ['tcp.receive_errors', 'Tcp.InErrs'],
  ['tcp.resets_sent', 'Tcp.OutRsts'],
  ['udp.received', 'Udp.InDatagrams'],
  ['udp.sent', 'Udp.OutDatagrams'],
  ['udp.no_port', 'Udp.NoPorts'],
  ['udp.receive_errors', 'Udp.InErrors'],
  ['ip.received', 'Ip.InReceives'],
  ['ip.forwarded', 'Ip.ForwDatagrams'],
  ['ip.discarded', 'Ip.InDiscards'],
] as const

/** /proc/net/snmp: the kernel's TCP, UDP and IP counters. */
export class SnmpSection implements Section {
  readonly group: SlotGroup
  #numbers = new ProtocolNumbers([
    ...counters.map(([, key]) => key),
    'Tcp.CurrEstab',
    'Udp.RcvbufErrors',
    'Udp.SndbufErrors',
  ])

  constructor(slots: SeriesSlots) {
    this.group = new SlotGroup(slots)
  }

  parse(reader: ByteReader): void {
    this.#numbers.clear()
    this.#numbers.parseTables(reader)
    const established = this.#numbers.of('Tcp.CurrEstab')
    if (established >= 0) this.group.set(this.group.slot('tcp.established'), established)
    for (const [name, key] of counters) this.#rate(name, this.#numbers.of(key))
    this.#rate(
      'udp.buffer_errors',
      this.#numbers.of('Udp.RcvbufErrors') + this.#numbers.of('Udp.SndbufErrors'),
    )
  }

  #rate(name: (typeof counters)[number][0] | 'udp.buffer_errors', counter: number): void {
    if (counter >= 0) this.group.rate(this.group.slot(name), counter)
  }
}

const extended = [
  ['tcp.listen_overflows', 'TcpExt.ListenOverflows'],
  ['tcp.listen_drops', 'TcpExt.ListenDrops'],
  ['tcp.timeouts', 'TcpExt.TCPTimeouts'],
  ['tcp.syn_cookies_sent', 'TcpExt.SyncookiesSent'],
] as const

/** /proc/net/netstat: what tells of a listener that cannot keep up. */
export class NetstatSection implements Section {
  readonly group: SlotGroup
  #numbers = new ProtocolNumbers(extended.map(([, key]) => key))

  constructor(slots: SeriesSlots) {
    this.group = new SlotGroup(slots)
  }

  parse(reader: ByteReader): void {
    this.#numbers.clear()
    this.#numbers.parseTables(reader)
    for (const [name, key] of extended) {
      const counter = this.#numbers.of(key)
      if (counter >= 0) this.group.rate(this.group.slot(name), counter)
    }
  }
}
