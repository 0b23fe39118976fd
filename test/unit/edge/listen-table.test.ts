import { endianness } from 'node:os'
import { describe, expect, it } from 'vitest'
import { parseListenTable, uidsListeningAt } from '../../../src/edge/supervisor/listen-table.ts'
import { PortOwners } from '../../../src/edge/supervisor/port-owners.ts'
import { ProcessTable } from '../../../src/edge/supervisor/process-table.ts'
import { askInstance, type InstanceOutcome } from '../../../src/edge/supervisor/instance-probe.ts'
import { VirtualClock } from '../../support/clock.ts'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const line = (local: string, state: string, uid: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000 ${uid}        0 392332 1 0 100\n`

const loopback = '0100007F'
const any = '00000000'
const any6 = '0'.repeat(32)
const loopback6 = '00000000000000000000000001000000'
const mapped = '0000000000000000FFFF00000100007F'

describe.runIf(endianness() === 'LE')('the table of listening sockets', () => {
  it('is read, a line that is not whole yet is left, and connections are told apart', () => {
    const listeners = head + line(`${loopback}:B1C5`, '0A', 7) + line(`${any}:0050`, '0A', 65534)
    const sockets = [
      { address: loopback, port: 45509, uid: 7 },
      { address: any, port: 80, uid: 65534 },
    ]
    expect(parseListenTable(listeners)).toEqual({ sockets, hasConnections: false })
    expect(parseListenTable(`${listeners}   2: 00000`)).toEqual({ sockets, hasConnections: false })
    const connected = listeners + line(`${loopback}:B1C6`, '01', 9)
    expect(parseListenTable(connected)).toEqual({ sockets, hasConnections: true })
    const behind = { address: any, port: 81, uid: 9 }
    expect(parseListenTable(connected + line(`${any}:0051`, '0A', 9))).toEqual({
      sockets: [...sockets, behind],
      hasConnections: true,
    })
    expect(parseListenTable('')).toEqual({ sockets: [], hasConnections: false })
  })

  it.each([
    ['127.0.0.1', [loopback, any, any6, loopback6], [0]],
    ['127.0.0.1', [any6, any, loopback6], [1]],
    ['127.0.0.1', [any6, mapped], [1]],
    ['127.0.0.1', [loopback6, any6], [1]],
    ['127.0.0.1', [loopback6], []],
    ['::1', [loopback, any, any6, loopback6], [3]],
    ['::1', [loopback, any, any6], [2]],
    ['::1', [loopback, any, mapped], []],
  ] as const)(
    'tells who takes connections to %s, the most exact address first: %j',
    (host, addresses, uids) => {
      const sockets = addresses.map((address, uid) => ({ address, port: 80, uid }))
      expect(uidsListeningAt(sockets, host, 80)).toEqual(uids)
      expect(uidsListeningAt(sockets, host, 81)).toEqual([])
    },
  )
})

describe.runIf(endianness() === 'LE')('the port of an instance', () => {
  const trouble = (sockets: { address: string; port: number; uid: number }[] | null) => {
    const clock = new VirtualClock()
    return new PortOwners(clock, new ProcessTable(clock), () => sockets).trouble('127.0.0.1', 80, process.pid)
  }

  it('may be held by its own user and by root, by another user not', async () => {
    const own = process.getuid?.() ?? 0
    for (const uid of [own, 0]) expect(await trouble([{ address: loopback, port: 80, uid }])).toBe('')
    const stranger = own + 54_321
    expect(await trouble([{ address: loopback, port: 80, uid: stranger }])).toBe(
      `its port 80 is held by another user (uid ${stranger})`,
    )
    // The exact address is served by the instance itself.
    expect(
      await trouble([
        { address: any6, port: 80, uid: stranger },
        { address: loopback, port: 80, uid: own },
      ]),
    ).toBe('')
  })

  it('is found behind connections, and when it listens since the last look', async () => {
    const clock = new VirtualClock()
    const socket = { address: loopback, port: 80, uid: 65534 }
    const owners = new PortOwners(clock, new ProcessTable(clock), (extent) =>
      extent === 'whole' ? [socket] : null,
    )
    expect(await owners.trouble('127.0.0.1', 80, process.pid)).toContain('held by another user')
  })

  it('may be anybody where nothing listens, as behind address translation, or the kernel does not tell', async () => {
    const elsewhere = { address: loopback, port: 81, uid: 0 }
    expect(await trouble([elsewhere])).toBe('')
    expect(await trouble(null)).toBe('')
  })
})

describe('the address of an instance', () => {
  const ask = (answers: Record<string, InstanceOutcome>) => (host: string) =>
    Promise.resolve(answers[host] ?? { kind: 'refused' as const, why: 'refused' })
  const foreign = { kind: 'foreign', why: 'held by another user' } as const
  const well = { kind: 'well' } as const

  it('is the other one where it is well there only', async () => {
    expect(await askInstance('127.0.0.1', ask({ '::1': well }))).toEqual({ host: '::1', outcome: well })
    expect(await askInstance('::1', ask({ '::1': foreign, '127.0.0.1': well }))).toEqual({
      host: '127.0.0.1',
      outcome: well,
    })
  })

  it('stays when another process answers at the other one, which is the reason then', async () => {
    const found = await askInstance('127.0.0.1', ask({ '::1': foreign }))
    expect(found).toEqual({ host: '127.0.0.1', outcome: foreign })
  })
})
