import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timeTicks } from '../../../../src/renderer/charts/time-axis.ts'
import { axisTicks, niceStep, valueAxis } from '../../../../src/renderer/charts/value-axis.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Local time in a zone as if it were UTC, by the zone database of Intl. */
const localIn = (zone: string) => {
  const format = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hourCycle: 'h23',
    ...({ year: 'numeric', month: 'numeric', day: 'numeric' } as const),
    ...({ hour: 'numeric', minute: 'numeric', second: 'numeric' } as const),
  })
  return (timeMs: number): number => {
    const part = Object.fromEntries(
      format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]),
    )
    return Date.UTC(
      part['year']!,
      part['month']! - 1,
      part['day'],
      part['hour'],
      part['minute'],
      part['second'],
    )
  }
}
const offsetIn = (zone: string) => {
  const local = localIn(zone)
  return (timeMs: number): number => local(timeMs) - Math.floor(timeMs / 1000) * 1000
}

describe('the value axis', () => {
  it('stays at 100 % for shares of the whole, however little is used', () => {
    expect(valueAxis(0.01, 0.03, 'ratio', { leastMax: 1, fixedMax: 1 })).toEqual({
      min: 0,
      max: 1,
      step: 0.25,
    })
  })

  it('does not blow noise near zero up', () => {
    expect(valueAxis(0, 0.001, 'ratio', { leastMax: 0.1 }).max).toBeGreaterThanOrEqual(0.1)
  })

  it('counts bytes in binary steps', () => {
    expect(niceStep(3 * 1024 ** 3, 'bytes')).toBe(5 * 1024 ** 3)
    expect(niceStep(600, 'bytes')).toBe(1024)
  })

  it('has no half things', () => {
    expect(niceStep(0.3, 'count')).toBe(1)
  })

  it('keeps its size while the data still fills it, and shrinks when it no longer does', () => {
    const tall = valueAxis(0, 90, 'count', { leastMax: 4 })
    expect(valueAxis(0, 60, 'count', { leastMax: 4 }, tall)).toBe(tall)
    expect(valueAxis(0, 10, 'count', { leastMax: 4 }, tall).max).toBeLessThan(tall.max)
  })

  it('always contains the data, in 3 to 8 equal steps', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e15, noNaN: true }),
        fc.constantFrom('bytes', 'bytes_per_second', 'per_second', 'seconds') as fc.Arbitrary<'bytes'>,
        (high, unit) => {
          const axis = valueAxis(0, high, unit, { leastMax: 0 })
          expect(axis.max).toBeGreaterThanOrEqual(high * (1 - 1e-12))
          const ticks = axisTicks(axis)
          expect(ticks.length).toBeGreaterThanOrEqual(3)
          expect(ticks.length).toBeLessThanOrEqual(9)
        },
      ),
    )
  })

  it('stands on numbers whatever nonsense was measured', () => {
    for (const unit of ['bytes', 'per_second', 'seconds', 'count', 'ratio', 'celsius'] as const)
      for (const high of [Number.MAX_VALUE, 1e303, Infinity, Number.NaN, 5e-324]) {
        const axis = valueAxis(-Number.MAX_VALUE, high, unit, { leastMax: 1 })
        const ticks = axisTicks(axis)
        expect({ unit, high, isSound: ticks.length < 12 && ticks.every(Number.isFinite) }).toEqual({
          unit,
          high,
          isSound: true,
        })
      }
  })

  it('goes below zero where temperatures do', () => {
    expect(valueAxis(-12, 30, 'celsius', { leastMax: 10 }).min).toBeLessThanOrEqual(-12)
  })
})

describe('the time axis', () => {
  it('stands on round local times', () => {
    const ticks = timeTicks(0, hour, 6, () => 2 * hour)
    expect(ticks.map(({ text }) => text)).toEqual(
      ['02:00', '02:10', '02:20', '02:30', '02:40', '02:50', '03:00'].slice(0, ticks.length),
    )
  })

  it('names the day at midnight', () => {
    const from = Date.UTC(2025, 10, 20, 20)
    expect(timeTicks(from, from + 8 * hour, 5, () => 0).map(({ text }) => text)).toContain('Nov 21')
  })

  it('stays on round local times over a change to summer time', () => {
    const change = Date.UTC(2025, 2, 30, 1)
    const offset = (timeMs: number) => (timeMs < change ? hour : 2 * hour)
    const texts = timeTicks(change - 6 * hour, change + 6 * hour, 6, offset).map(({ text }) => text)
    for (const text of texts) expect(text).toMatch(/:00$|^Mar /)
  })

  it.each([
    [
      'Europe/Berlin',
      '2026-03-28T22:00Z',
      6,
      8,
      ['23:00', 'Mar 29', '01:00', '03:00', '04:00', '05:00', '06:00'],
    ],
    [
      'Africa/Cairo',
      '2026-04-23T20:00Z',
      6,
      8,
      ['22:00', '23:00', 'Apr 24', '02:00', '03:00', '04:00', '05:00'],
    ],
    [
      'Australia/Lord_Howe',
      '2026-10-03T14:15Z',
      3,
      6,
      ['01:00', '01:30', '02:30', '03:00', '03:30', '04:00'],
    ],
    ['Europe/Berlin', '2026-10-24T23:00Z', 4, 4, ['01:00', '02:00', '02:00', '03:00', '04:00']],
    ['Europe/Berlin', '2026-10-24T20:00Z', 8, 4, ['22:00', 'Oct 25', '02:00', '04:00']],
  ])('names only times that exist when the clocks change in %s, %s', (zone, from, hours, most, texts) => {
    const fromMs = Date.parse(from)
    const ticks = timeTicks(fromMs, fromMs + hours * hour, most, offsetIn(zone))
    expect(ticks.map(({ text }) => text)).toEqual(texts)
  })

  it('has the local time of each text where it stands, in every zone', () => {
    const zones = [
      ...[
        'Europe/Berlin',
        'Europe/Dublin',
        'Africa/Cairo',
        'Africa/Casablanca',
        'Asia/Beirut',
        'Asia/Kathmandu',
      ],
      ...[
        'America/New_York',
        'America/Havana',
        'America/St_Johns',
        'America/Scoresbysund',
        'Atlantic/Azores',
      ],
      ...[
        'Australia/Lord_Howe',
        'Antarctica/Troll',
        'Pacific/Chatham',
        'Pacific/Apia',
        'America/Asuncion',
        'UTC',
      ],
    ]
    const changes = zones.flatMap((zone) => {
      const offset = offsetIn(zone)
      const days = Array.from({ length: 18 * 366 }, (_, at) => Date.UTC(2010, 0, 1) + at * day)
      const changing = days.filter((dayMs) => offset(dayMs) !== offset(dayMs + day))
      return (changing.length > 0 ? changing : days.slice(0, 1)).map((dayMs) => ({ zone, offset, dayMs }))
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        fc.integer({ min: -40 * hour, max: 24 * hour }),
        fc.integer({ min: minute, max: 60 * hour }),
        fc.integer({ min: 2, max: 20 }),
        ({ zone, offset, dayMs }, beforeMs, spanMs, most) => {
          const local = localIn(zone)
          let last = -Infinity
          for (const { timeMs, text } of timeTicks(
            dayMs + beforeMs,
            dayMs + beforeMs + spanMs,
            most,
            offset,
          )) {
            expect(timeMs).toBeGreaterThan(last)
            last = timeMs
            const iso = new Date(local(timeMs)).toISOString()
            if (text.includes(':')) expect(iso.slice(11, 11 + text.length)).toBe(text)
            else {
              // The day begins there, or there for a second time.
              const date = new Date(local(timeMs)).toLocaleDateString('en', {
                timeZone: 'UTC',
                month: 'short',
                day: 'numeric',
              })
              expect({ zone, iso, date }).toEqual({ zone, iso, date: text })
              const isMidnight = iso.slice(11, 19) === '00:00:00'
              expect(isMidnight || local(timeMs - 1000) < Date.parse(`${iso.slice(0, 10)}Z`)).toBe(true)
            }
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('never has more ticks than asked for, by more than the one at the end, and all in range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e12 }),
        fc.integer({ min: 5000, max: 400 * 24 * hour }),
        fc.integer({ min: 2, max: 20 }),
        (fromMs, spanMs, most) => {
          const ticks = timeTicks(fromMs, fromMs + spanMs, most, () => hour)
          expect(ticks.length).toBeLessThanOrEqual(most + 1)
          for (const { timeMs } of ticks) {
            expect(timeMs).toBeGreaterThanOrEqual(fromMs)
            expect(timeMs).toBeLessThanOrEqual(fromMs + spanMs)
          }
        },
      ),
    )
  })
})
