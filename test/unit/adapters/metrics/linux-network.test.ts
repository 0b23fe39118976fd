import { describe, expect, it } from 'vitest'
import { countStates } from '../../../../src/adapters/metrics/linux/connections.ts'
import { NetDevSection } from '../../../../src/adapters/metrics/linux/net-dev.ts'
import {
  NetstatSection,
  SnmpSection,
  Sockstat6Section,
  SockstatSection,
} from '../../../../src/adapters/metrics/linux/network-protocols.ts'
import { SectionRounds } from './section-rounds.ts'

const headings =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n'
const row = (name: string, bytes: number, sent = 0) =>
  `${name}: ${bytes} 10 1 2 0 0 0 0 ${sent} 20 3 4 0 0 0 0\n`

describe('/proc/net/dev', () => {
  const rounds = () => new SectionRounds((slots) => new NetDevSection(slots))

  it('gives rates of each interface', () => {
    const dev = rounds()
    dev.round(`${headings}${row('    lo', 1000)}${row('  eth0', 5000, 100)}`)
    const values = dev.round(`${headings}${row('    lo', 3000)}${row('  eth0', 5000, 300)}`, 2)
    expect(values['network.received{lo}']).toBe(1000)
    expect(values['network.sent{eth0}']).toBe(100)
    expect(values['network.send_errors{eth0}']).toBe(0)
  })

  it('reads the form without a blank behind the colon', () => {
    const dev = rounds()
    dev.round('eth0:1000 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n')
    expect(dev.round('eth0:1500 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n')['network.received{eth0}']).toBe(500)
  })

  it('appends an interface that comes and knows nothing of one that is gone', () => {
    const dev = rounds()
    dev.round(row('eth0', 1000))
    const version = dev.slots.version
    expect(dev.round(row('eth0', 1000) + row('wg0', 70))['network.received{wg0}']).toBeNaN()
    expect(dev.slots.version).toBeGreaterThan(version)
    const gone = dev.round(row('wg0', 170))
    expect(gone['network.received{eth0}']).toBeNaN()
    expect(gone['network.received{wg0}']).toBe(100)
    // Back with a counter that ran on: the growth was not within the last round.
    expect(dev.round(row('eth0', 99_000) + row('wg0', 170))['network.received{eth0}']).toBeNaN()
    expect(dev.resets).toEqual([])
  })

  it('keeps room where interfaces come and go without end: those that last get series, the others none', () => {
    const dev = rounds()
    dev.round(row('eth0', 1000))
    for (let round = 0; round < 400; round++) {
      const passing = Array.from({ length: 20 }, (_, i) => row(`br-${round}-${i}`, 5)).join('')
      dev.round(row('eth0', 1000 + round) + passing + row('lasting', round))
    }
    expect(dev.slots.series.length).toBeLessThan(8 * 40)
    expect(dev.slots.series.map(({ labels }) => labels['interface'])).toContain('lasting')
  })

  it('gives the slots of interfaces that have been gone for long to new ones when there is no room', () => {
    const dev = rounds()
    const many = (prefix: string, bytes: number) =>
      Array.from({ length: 511 }, (_, i) => row(`${prefix}${i}`, bytes)).join('')
    dev.round(row('eth0', 0) + many('old', 0))
    expect(dev.slots.series.length).toBe(4096)
    for (let round = 1; round <= 601; round++) dev.round(row('eth0', round * 10))
    for (let round = 602; round <= 640; round++) dev.round(row('eth0', round * 10) + many('new', round * 7))
    const values = dev.round(row('eth0', 6410) + many('new', 641 * 7) + row('old3', 99))
    expect(dev.slots.series.length).toBe(4096)
    expect(values['network.received{eth0}']).toBe(10)
    expect(values['network.received{new0}']).toBe(7)
    expect(values['network.received{new510}']).toBe(7)
    expect(values).not.toHaveProperty(['network.received{old3}'])
  })

  it('leaves out the interfaces of single containers, whose names never end', () => {
    const ends = [
      ...['veth1a2b3c4', 'vethK3D9XZ', 'veth101i0', 'cali0ef24b20d1f', 'lxc4a5b6c7d8e9f', 'lxc_health'],
      ...['vnet3', 'tap100i0', 'tap1a2b3c4d-5e', 'fwbr100i0', 'fwpr100p0', 'fwln100i0'],
      ...['ifb0', 'ifb4eth0', 'dummy0', 'tunl0', 'sit0', 'gre0', 'gretap0', 'erspan0', 'ip6tnl0', 'ip6gre0'],
      'nodelocaldns',
    ]
    expect(rounds().round(ends.map((name) => row(name, 1)).join(''))).toEqual({})
  })

  it('keeps links whose names only begin like those', () => {
    const links = [
      ...[
        'green0',
        'greenhouse',
        'gre1',
        'sitelink0',
        'sit1',
        'tap0',
        'tapvpn',
        'lxcbr0',
        'lxdbr0',
        'ifbridge',
      ],
      ...['california0', 'dummynet', 'vnetwork0', 'fwbridge', 'ip6tnl1', 'tunl1', 'erspan1'],
    ]
    const values = rounds().round(links.map((name) => row(name, 1)).join(''))
    for (const name of links) expect(values).toHaveProperty([`network.received{${name}}`])
  })

  it('takes a 32-bit counter that wraps for what it is, and any other fall for a reset', () => {
    const dev = rounds()
    dev.round(row('eth0', 2 ** 32 - 1000, 5_000_000))
    const values = dev.round(row('eth0', 500, 100))
    expect(values['network.received{eth0}']).toBe(1500)
    expect(values['network.sent{eth0}']).toBeNaN()
    expect(dev.resets).toEqual(['network.sent{eth0}'])
  })
})

describe('/proc/net/sockstat', () => {
  it('gives sockets by use, memory in bytes', () => {
    const sockstat = new SectionRounds((slots) => new SockstatSection(slots, 4096))
    const values = sockstat.round(
      'sockets: used 14\nTCP: inuse 5 orphan 1 tw 7 alloc 9 mem 447\nUDP: inuse 2 mem 3\nUDPLITE: inuse 99\nFRAG: inuse 0 memory 0\n',
    )
    expect(values).toEqual({
      'sockets.used': 14,
      'sockets.tcp_in_use': 5,
      'sockets.tcp_orphaned': 1,
      'sockets.tcp_time_wait': 7,
      'sockets.tcp_allocated': 9,
      'sockets.tcp_memory': 447 * 4096,
      'sockets.udp_in_use': 2,
      'sockets.udp_memory': 3 * 4096,
    })
    const six = new SectionRounds((slots) => new Sockstat6Section(slots))
    expect(six.round('TCP6: inuse 3\nUDP6: inuse 1\n')).toEqual({
      'sockets.tcp6_in_use': 3,
      'sockets.udp6_in_use': 1,
    })
  })
})

describe('/proc/net/snmp and netstat', () => {
  const snmp = (established: number, retransmitted: number) =>
    'Ip: Forwarding DefaultTTL InReceives\nIp: 2 64 17807\nIcmp: InMsgs\nIcmp: 1\n' +
    'Tcp: RtoAlgorithm MaxConn ActiveOpens CurrEstab RetransSegs\n' +
    `Tcp: 1 -1 134 ${established} ${retransmitted}\n`

  it('finds each number under its name, whatever the order and with the negative one in between', () => {
    const section = new SectionRounds((slots) => new SnmpSection(slots))
    section.round(snmp(4, 100))
    const values = section.round(snmp(5, 130), 10)
    expect(values['tcp.established']).toBe(5)
    expect(values['tcp.retransmitted']).toBe(3)
    expect(values['ip.received']).toBe(0)
    expect(values).not.toHaveProperty('udp.sent')
  })

  it('does not mix up tables when a line of numbers is missing', () => {
    const section = new SectionRounds((slots) => new SnmpSection(slots))
    expect(section.round('Tcp: CurrEstab\nUdp: InDatagrams\nUdp: 7\n')).not.toHaveProperty('tcp.established')
  })

  it('tells of a listener that cannot keep up', () => {
    const section = new SectionRounds((slots) => new NetstatSection(slots))
    const text = (overflows: number) =>
      `TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 ${overflows} ${overflows}\nIpExt: InOctets\nIpExt: 5\n`
    section.round(text(0))
    expect(section.round(text(20), 10)).toEqual({
      'tcp.syn_cookies_sent': 0,
      'tcp.listen_overflows': 2,
      'tcp.listen_drops': 2,
    })
  })
})

describe('/proc/net/tcp', () => {
  it('is counted by state, rows of IPv6 like those of IPv4', () => {
    const counts: Record<string, number> = {}
    countStates(
      [
        '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
        '   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1504 1',
        '   1: 0100007F:0050 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 1505 1',
        '1234: 00000000000000000000000001000000:0050 00000000000000000000000001000000:C002 01 00000000:00000000 00',
        '   3: 0100007F:0050 0100007F:C003 0C 00000000:00000000',
        '   4: 0100007F:0050 0100007F:C003 FF 00000000:00000000',
        '',
      ],
      counts,
    )
    expect(counts).toEqual({ listen: 1, established: 2, syn_received: 1 })
  })
})
