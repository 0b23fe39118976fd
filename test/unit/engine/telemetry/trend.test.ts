import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRng } from '../../../../src/base/index.ts'
import { forecastFull, trendOf } from '../../../../src/engine/telemetry/trend.ts'

/** One value a minute. */
const series = (count: number, value: (minute: number) => number) =>
  [
    Float64Array.from({ length: count }, (_, i) => i * 60_000),
    Float64Array.from({ length: count }, (_, i) => value(i)),
  ] as const

const nowMs = 1e12
const forecastOf = (count: number, share: (minute: number) => number) => {
  const [timesMs, values] = series(count, share)
  const trend = trendOf(timesMs, values)
  return forecastFull({ subject: '/', series: 'filesystem.used', share: share(count - 1), trend, nowMs })
}
const day = 24 * 60
const chance = seededRng(3)
const noise = Array.from({ length: 600 }, () => chance.next())

describe('a trend', () => {
  it('is the slope of a line, whatever noise and wild values lie on it', () => {
    const rng = seededRng(3)
    const [timesMs, values] = series(600, (minute) =>
      rng.next() < 0.05 ? 1e6 : 10 + minute * 0.6 + (rng.next() - 0.5) * 20,
    )
    const clean = trendOf(...series(600, (minute) => 10 + minute * 0.6))
    expect(clean).toMatchObject({ direction: 'rising', spanMs: expect.closeTo(590 * 60_000, -6) as number })
    expect(clean?.slopePerSecond).toBeCloseTo(0.01)
    expect(trendOf(timesMs, values)?.slopePerSecond).toBeCloseTo(0.01, 3)
  })

  it('lies between its bounds, and turns with the sign of the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 20, maxLength: 80 }),
        (all) => {
          const trend = trendOf(...series(all.length, (i) => all[i] ?? NaN))
          const mirrored = trendOf(...series(all.length, (i) => -(all[i] ?? NaN)))
          if (!trend || !mirrored) throw new Error('20 points are enough')
          expect(trend.lowPerSecond).toBeLessThanOrEqual(trend.slopePerSecond)
          expect(trend.slopePerSecond).toBeLessThanOrEqual(trend.highPerSecond)
          expect(mirrored.slopePerSecond).toBeCloseTo(-trend.slopePerSecond)
        },
      ),
    )
  })

  it('calls noise steady nine times of ten', () => {
    const rng = seededRng(5)
    const directions = Array.from({ length: 400 }, () => trendOf(...series(60, () => rng.next()))?.direction)
    const steadyShare = directions.filter((direction) => direction === 'steady').length / 400
    expect(steadyShare).toBeGreaterThan(0.85)
    expect(steadyShare).toBeLessThan(0.95)
  })

  it.each([
    ['no values', 0, () => 1],
    ['nine points', 9, (i: number) => i],
    ['no numbers', 100, () => NaN],
  ])('is nothing with %s', (_name, count, value) => {
    expect(trendOf(...series(count, value))).toBeUndefined()
  })
})

describe('a forecast', () => {
  it('says when a disk that fills steadily will be full, with its bounds', () => {
    const forecast = forecastOf(day, (minute) => 0.5 + (minute / day) * 0.1)
    expect((forecast?.fullAtMs ?? 0) - nowMs).toBeCloseTo(4 * day * 60_000, -7)
    expect(forecast?.text).toBe('disk / full in about 4 d')
    expect(forecast?.earliestMs).toBeLessThanOrEqual(forecast?.fullAtMs ?? 0)
    expect(forecast?.latestMs).toBeGreaterThanOrEqual(forecast?.fullAtMs ?? Infinity)
  })

  it('sees through the teeth of a log that is rotated', () => {
    expect(forecastOf(day, (minute) => 0.5 + (minute / day) * 0.2 + (minute % 60) * 0.0002)).toBeDefined()
  })

  it.each<[string, number, (minute: number) => number]>([
    ['one large copy', day, (minute) => (minute < 700 ? 0.5 : 0.7)],
    ['a disk that stopped filling', day, (minute) => 0.5 + Math.min(minute, 500) * 0.0005],
    ['a disk that fills ever slower', day, (minute) => 0.5 + Math.min(minute, 700) * 4e-4 + minute * 2e-5],
    ['a rise that noise all but hides', 600, (minute) => 0.92 + minute * 2e-5 + (noise[minute] ?? 0) * 0.05],
    ['a disk that has only just begun to fill', day, (minute) => 0.5 + Math.max(0, minute - 1380) * 0.002],
    ['a disk that empties', day, (minute) => 0.9 - minute * 0.0001],
    ['noise', day, (minute) => 0.5 + ((minute * 7919) % 97) / 1000],
    ['the last minutes alone', 9, (minute) => 0.5 + minute * 0.01],
    ['a past too short for so far a future', 60, (minute) => 0.5 + minute * 0.0001],
    ['a disk that is full already', day, (minute) => Math.min(1, 0.5 + minute * 0.01)],
  ])('is not made from %s', (_name, count, share) => {
    expect(forecastOf(count, share)).toBeUndefined()
  })
})
