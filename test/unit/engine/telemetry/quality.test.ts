import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Unit } from '../../../../src/contract/index.ts'
import { placeInTime, QualityTracker } from '../../../../src/engine/telemetry/quality.ts'
import { moment, readingAt } from './made-host.ts'

const units: Unit[] = ['bytes', 'ratio']

/** A tracker and a way to feed it: `at` in seconds, values of the two series, what the clocks did besides. */
function tracked() {
  const tracker = new QualityTracker(1000)
  const reading = (
    at: number,
    values: number[] = [1e9, 0.5],
    more: {
      resets?: number[]
      wallMs?: number
      sourceMonotonicMs?: number
      delayMs?: number
      ourWallMs?: number
    } = {},
  ) => {
    const base = readingAt(at, Float64Array.from(values), { counterResets: more.resets ?? [] })
    const arrival = moment(at + (more.delayMs ?? 0) / 1000)
    return tracker.observe(
      {
        ...base,
        atMs: base.atMs + (more.wallMs ?? 0),
        monotonicMs: base.monotonicMs + (more.sourceMonotonicMs ?? 0),
      },
      units,
      { atMs: arrival.atMs + (more.ourWallMs ?? 0), monotonicMs: arrival.monotonicMs },
    )
  }
  const steady = (
    from: number,
    to: number,
    ...rest: Parameters<typeof reading> extends [number, ...infer R] ? R : []
  ) => {
    for (let at = from; at < to; at++) reading(at, ...rest)
  }
  return { tracker, reading, steady, counts: () => tracker.host().counts }
}

describe('where a reading stands in time', () => {
  const last = { atMs: 1000, monotonicMs: 50 }
  it.each([
    ['first', undefined, { atMs: 1, monotonicMs: 1 }],
    ['newer', last, { atMs: 2000, monotonicMs: 1050 }],
    ['duplicate', last, { atMs: 1000, monotonicMs: 50 }],
    ['duplicate', last, { atMs: 1000, monotonicMs: 1050 }],
    ['outOfOrder', last, { atMs: 0, monotonicMs: 0 }],
    ['newer', last, { atMs: 500, monotonicMs: 1050 }],
    ['newer', last, { atMs: 9000, monotonicMs: 5 }],
  ] as const)('is %s after %o at %o', (place, before, next) => {
    expect(placeInTime(before, next)).toBe(place)
  })
})

describe('the quality of a host', () => {
  it('is fresh with a reading each interval, however its moment trembles', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -0.3, max: 0.3, noNaN: true }), { minLength: 10 }), (jitter) => {
        const { tracker, reading } = tracked()
        jitter.forEach((by, i) => reading(i + by))
        expect(tracker.host()).toMatchObject({
          freshness: 'fresh',
          canBeJudged: true,
          counts: { fresh: jitter.length, gaps: 0, late: 0, stale: 0, clockSkews: 0 },
        })
      }),
    )
  })

  it.each([
    [2.4, 'fresh'],
    [2.6, 'late'],
    [5.4, 'late'],
    [5.6, 'stale'],
  ])('%d intervals after the newest reading is %s', (age, freshness) => {
    const { tracker, steady } = tracked()
    steady(0, 11)
    tracker.tick(moment(10 + age))
    expect(tracker.host().freshness).toBe(freshness)
  })

  it('counts a silence once as late, as stale and as a gap', () => {
    const { tracker, steady, counts } = tracked()
    steady(0, 11)
    for (let at = 11; at < 30; at++) tracker.tick(moment(at))
    steady(30, 40)
    expect(counts()).toMatchObject({ late: 1, stale: 1, gaps: 1, notNumbers: 0 })
  })

  it('stays stale when a stuck source repeats its last reading', () => {
    const { tracker, reading, steady } = tracked()
    steady(0, 11)
    for (let at = 11; at < 20; at++) {
      const stuck = readingAt(10, Float64Array.of(1e9, 0.5))
      expect(tracker.observe({ ...stuck, monotonicMs: moment(at).monotonicMs }, units, moment(at))).toBe(
        'duplicate',
      )
    }
    expect(tracker.host()).toMatchObject({
      freshness: 'stale',
      canBeJudged: false,
      counts: { duplicates: 9 },
    })
    reading(20)
    expect(tracker.host().freshness).toBe('fresh')
  })

  it('sees the readings that wait in a queue as old, not as fresh', () => {
    const { tracker, reading, steady } = tracked()
    steady(0, 60)
    reading(60, undefined, { delayMs: 20_000 })
    expect(tracker.ageMs).toBeGreaterThan(19_000)
    expect(tracker.host().freshness).toBe('stale')
  })

  it('counts a jump of the clock, does not judge for five minutes, then does again', () => {
    const { tracker, steady, counts } = tracked()
    steady(0, 100)
    steady(100, 110, undefined, { wallMs: -30_000, ourWallMs: -30_000 })
    expect(counts().clockSkews).toBe(1)
    expect(tracker.host()).toMatchObject({ freshness: 'fresh', canBeJudged: false })
    expect(tracker.host().reasons).toEqual(['its clock jumped 9 s ago'])
    steady(110, 410, undefined, { wallMs: -30_000, ourWallMs: -30_000 })
    expect(tracker.host()).toMatchObject({ canBeJudged: true, counts: { clockSkews: 1 } })
  })

  it('finds a clock that runs at another speed', () => {
    const { reading, counts } = tracked()
    for (let at = 0; at < 300; at++) reading(at, undefined, { wallMs: at * 5, ourWallMs: at * 5 })
    expect(counts().clockSkews).toBe(1)
  })

  it('is not taken in by our own clock being set: the readings of others stay fresh', () => {
    const { tracker, steady } = tracked()
    steady(0, 100)
    steady(100, 120, undefined, { ourWallMs: 4000 })
    expect(tracker.host()).toMatchObject({ freshness: 'fresh', counts: { late: 0, stale: 0 } })
  })

  it('names a clock that stands apart from ours', () => {
    const { tracker, steady, counts } = tracked()
    steady(0, 60, undefined, { wallMs: -8000 })
    expect(tracker.host()).toMatchObject({ freshness: 'fresh', canBeJudged: false })
    expect(tracker.host().reasons).toEqual(['its clock is 8 s behind ours'])
    expect(counts().clockSkews).toBe(1)
  })

  it('takes a restarted source for what it is: a gap, no skew', () => {
    const { steady, counts } = tracked()
    steady(100, 160)
    steady(200, 260, undefined, { sourceMonotonicMs: -195_000 })
    expect(counts()).toMatchObject({ gaps: 1, clockSkews: 0, outOfOrder: 0, fresh: 120 })
  })

  it('cannot be judged while a fifth of its readings is missing, and says how many', () => {
    const { tracker, reading } = tracked()
    for (let at = 0; at < 100; at++) if (at % 4 !== 1) reading(at)
    expect(tracker.host().canBeJudged).toBe(false)
    expect(tracker.host().reasons[0]).toMatch(/^2[45]% of the readings of the last hour are missing$/)
  })

  it('cannot be judged on its first readings', () => {
    const { tracker, steady } = tracked()
    steady(0, 4)
    expect(tracker.host().reasons).toEqual(['only 4 readings so far'])
    steady(4, 5)
    expect(tracker.host().canBeJudged).toBe(true)
  })

  it('forgets after an hour', () => {
    const { tracker, steady, reading, counts } = tracked()
    steady(0, 10)
    reading(9)
    steady(20, 3700)
    expect(counts()).toMatchObject({ duplicates: 0, gaps: 0 })
    expect(counts().fresh).toBeGreaterThanOrEqual(3300)
    expect(counts().fresh).toBeLessThanOrEqual(3600)
    expect(tracker.host().canBeJudged).toBe(true)
  })
})

describe('the quality of a series', () => {
  const second = (tracker: QualityTracker) => tracker.series(units)[1]

  it('is its own: one that stops is stale while its host is fresh', () => {
    const { tracker, steady } = tracked()
    steady(0, 100)
    steady(100, 120, [1e9, NaN])
    expect(tracker.series(units)[0]).toMatchObject({ freshness: 'fresh', canBeJudged: true })
    expect(second(tracker)).toMatchObject({
      slot: 1,
      freshness: 'stale',
      lastValueMs: moment(99).atMs,
      canBeJudged: false,
      reasons: ['no number for 20 s'],
      counts: { fresh: 100, late: 1, stale: 1, notNumbers: 5 },
    })
    expect(tracker.host()).toMatchObject({ canBeJudged: true, counts: { notNumbers: 5, late: 1, stale: 1 } })
  })

  it('counts numbers that are missing now and then, and infinite ones as missing', () => {
    const { tracker, reading } = tracked()
    for (let at = 0; at < 100; at++) reading(at, [1e9, at % 3 === 1 ? NaN : at % 3 === 2 ? Infinity : 0.5])
    expect(second(tracker)).toMatchObject({ canBeJudged: false, counts: { fresh: 34, notNumbers: 66 } })
    expect(second(tracker)?.reasons).toEqual(['66% of its values of the last hour are missing'])
  })

  it('takes a counter reset for a reset, not for a missing number or a gap', () => {
    const { tracker, reading, steady } = tracked()
    steady(0, 50)
    reading(50, [1e9, NaN], { resets: [1] })
    steady(51, 60)
    expect(second(tracker)?.counts).toMatchObject({ counterResets: 1, notNumbers: 0, gaps: 0 })
    expect(tracker.series(units)[0]?.counts.counterResets).toBe(0)
  })

  it('shows the troubles of the readings it was in, once each', () => {
    const { tracker, reading, steady } = tracked()
    steady(0, 50)
    reading(49)
    steady(55, 60)
    expect(second(tracker)?.counts).toMatchObject({ duplicates: 1, gaps: 1 })
    expect(tracker.host().counts).toMatchObject({ duplicates: 1, gaps: 1 })
  })

  it('that never had a number has not failed yet: nothing is counted', () => {
    const { tracker, steady } = tracked()
    steady(0, 50, [1e9, NaN])
    expect(second(tracker)).toMatchObject({
      freshness: 'stale',
      lastValueMs: null,
      reasons: ['never measured'],
    })
    expect(tracker.host().counts).toMatchObject({ notNumbers: 0, late: 0, stale: 0 })
  })

  it('makes its host impossible to judge when more than half of all are not measured', () => {
    const { tracker, steady } = tracked()
    steady(0, 50)
    steady(50, 60, [NaN, NaN])
    expect(tracker.host().reasons).toEqual(['2 of 2 series are not measured'])
  })

  it('whose unit jumped cannot be judged for an hour', () => {
    const { tracker, steady } = tracked()
    steady(0, 50)
    steady(50, 60, [1e6, 0.5])
    expect(tracker.series(units)[0]).toMatchObject({
      canBeJudged: false,
      reasons: ['its unit seems to have changed within the last hour'],
      counts: { unitJumps: 1 },
    })
    steady(60, 3700, [1e6, 0.5])
    expect(tracker.series(units)[0]?.canBeJudged).toBe(true)
  })

  it('that is a ratio of 43 is no ratio, for as long as it stands there', () => {
    const { tracker, steady } = tracked()
    steady(0, 4000, [1e9, 43])
    expect(second(tracker)?.reasons).toEqual(['its unit is a ratio, but its value is above 1.5'])
    steady(4000, 4100)
    expect(second(tracker)?.canBeJudged).toBe(true)
  })
})

describe('the counts', () => {
  it('of a host are those of its readings plus those of each series, whatever comes', () => {
    const step = fc.record({
      by: fc.constantFrom(0, -3, 0.5, 1, 1, 1, 1, 2, 7),
      values: fc.array(fc.constantFrom(NaN, 0, 0.5, 1e6, 1e9, Infinity), { minLength: 2, maxLength: 2 }),
      resets: fc.subarray([0, 1]),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { tracker, reading, counts } = tracked()
        let at = 0
        let accepted = 0
        for (const { by, values, resets } of steps) {
          at += by
          const place = reading(at, values, { resets })
          if (place === 'first' || place === 'newer') accepted += 1
        }
        const total = counts()
        const series = tracker.series(units)
        expect(total.fresh).toBe(accepted)
        expect(total.fresh + total.duplicates + total.outOfOrder).toBe(steps.length)
        const own = (kind: 'notNumbers' | 'counterResets' | 'unitJumps') =>
          series.reduce((sum, each) => sum + each.counts[kind], 0)
        expect(total.notNumbers).toBe(own('notNumbers'))
        expect(total.counterResets).toBe(own('counterResets'))
        expect(total.unitJumps).toBe(own('unitJumps'))
        for (const each of series) expect(each.canBeJudged).toBe(each.reasons.length === 0)
      }),
    )
  })
})
