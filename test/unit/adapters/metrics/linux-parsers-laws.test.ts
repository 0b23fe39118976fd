import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../../../src/adapters/metrics/linux/byte-reader.ts'
import { countStates } from '../../../../src/adapters/metrics/linux/connections.ts'
import { DiskstatsSection } from '../../../../src/adapters/metrics/linux/diskstats.ts'
import { MeminfoSection } from '../../../../src/adapters/metrics/linux/meminfo.ts'
import { parseMounts } from '../../../../src/adapters/metrics/linux/mounts.ts'
import { NetDevSection } from '../../../../src/adapters/metrics/linux/net-dev.ts'
import {
  NetstatSection,
  SnmpSection,
  SockstatSection,
} from '../../../../src/adapters/metrics/linux/network-protocols.ts'
import { parseProcessStat } from '../../../../src/adapters/metrics/linux/process-stat.ts'
import { parseUsers } from '../../../../src/adapters/metrics/linux/processes.ts'
import type { Section } from '../../../../src/adapters/metrics/linux/section.ts'
import {
  LoadSection,
  NumbersSection,
  PressureSection,
} from '../../../../src/adapters/metrics/linux/small-files.ts'
import { StatSection } from '../../../../src/adapters/metrics/linux/stat.ts'
import { VmstatSection } from '../../../../src/adapters/metrics/linux/vmstat.ts'
import { growth, type SeriesSlots } from '../../../../src/adapters/metrics/slots.ts'
import { SectionRounds } from './section-rounds.ts'

const sections: Record<string, { make: (slots: SeriesSlots) => Section; words: string[] }> = {
  stat: { make: (slots) => new StatSection(slots), words: ['cpu', 'cpu0', 'cpu99999999', 'intr', 'ctxt'] },
  loadavg: { make: (slots) => new LoadSection(slots), words: ['0.5', '/'] },
  numbers: {
    make: (slots) => new NumbersSection(slots, ['files.open', undefined, 'files.limit']),
    words: [],
  },
  meminfo: {
    make: (slots) => new MeminfoSection(slots),
    words: ['MemTotal:', 'MemAvailable:', 'SwapTotal:'],
  },
  vmstat: { make: (slots) => new VmstatSection(slots), words: ['pgfault', 'oom_kill'] },
  'net/dev': { make: (slots) => new NetDevSection(slots), words: ['eth0:', 'lo:', ':'] },
  diskstats: { make: (slots) => new DiskstatsSection(slots), words: ['sda', 'sda1', '8', '0'] },
  sockstat: { make: (slots) => new SockstatSection(slots, 4096), words: ['TCP:', 'inuse', 'mem'] },
  snmp: { make: (slots) => new SnmpSection(slots), words: ['Tcp:', 'CurrEstab', 'RetransSegs'] },
  netstat: { make: (slots) => new NetstatSection(slots), words: ['TcpExt:', 'ListenDrops'] },
  pressure: {
    make: (slots) => new PressureSection(slots, { some: 'pressure.io.some', full: 'pressure.io.full' }),
    words: ['some', 'full', 'a=b=c=d=5', 'total='],
  },
}

/** Any bytes, and texts made of the words and separators of the real thing, which get further. */
const texts = (words: string[]) =>
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .array(
        fc.oneof(
          fc.constantFrom(...words, ' ', '\n', '\t', ':', '-', '.', '(', ')', 'kB'),
          fc.integer().map(String),
          fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
          fc.constant('9'.repeat(400)),
        ),
        { maxLength: 80 },
      )
      .map((parts) => new TextEncoder().encode(parts.join(' '))),
  )

describe('whatever the bytes', () => {
  it.each(Object.entries(sections))(
    '%s is parsed without throwing, and never to Infinity',
    (_, { make, words }) => {
      fc.assert(
        fc.property(fc.array(texts(words), { minLength: 1, maxLength: 4 }), (rounds) => {
          const section = new SectionRounds(make)
          for (const text of rounds) {
            const values = Object.values(section.round(text))
            expect(values.every((value) => Number.isNaN(value) || Number.isFinite(value))).toBe(true)
          }
        }),
      )
    },
  )

  it('mounts, process rows, users and connections are parsed without throwing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseMounts(text)
        parseProcessStat(text)
        parseUsers(text)
        countStates(text.split('\n'), {})
      }),
    )
  })
})

describe('the reader of bytes', () => {
  it('reads back every integer that a double holds exactly', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const text = new TextEncoder().encode(`  ${value} `)
        expect(new ByteReader().reset(text).number()).toBe(value)
      }),
    )
  })

  it('never leaves its line and never goes behind the end it was given', () => {
    const reader = new ByteReader().reset(new TextEncoder().encode('12 \n34 56'), 6)
    expect([reader.number(), reader.number(), reader.number()]).toEqual([12, NaN, NaN])
    reader.nextLine()
    expect(reader.number()).toBe(34)
    expect(reader.isAtEnd).toBe(true)
  })
})

describe('the growth of a counter', () => {
  it('is the difference while it rises, and never a rise out of a reset to the beginning', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1), (before, step) => {
        expect(growth(before, before + step)).toBe(step)
        if (step > 0)
          expect(growth(before + step, before) < 0 || before + step > 2 ** 32 - 2 ** 28).toBe(true)
      }),
    )
    expect(growth(2 ** 40, 5)).toBeLessThan(0)
    expect(growth(NaN, 5)).toBeNaN()
    expect(growth(5, NaN)).toBeNaN()
  })
})
