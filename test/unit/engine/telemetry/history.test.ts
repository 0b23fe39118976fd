import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { historySince } from '../../../../src/engine/telemetry/history.ts'
import { SampleRing } from '../../../../src/engine/telemetry/ring.ts'

function ringOf(rows: [atSeconds: number, value: number][]): SampleRing {
  const ring = new SampleRing(5000)
  rows.forEach(([atSeconds, value], i) => ring.append(atSeconds * 1000, i * 1000, Float64Array.of(value)))
  return ring
}
const query = { durationMs: 60_000, slots: [0], maxPoints: 1000, intervalMs: 1000 }

describe('history by duration', () => {
  it('gives the samples as taken while they fit, back from the newest', () => {
    const ring = ringOf(Array.from({ length: 100 }, (_, i) => [i, i * 2]))
    const { stepMs, timesMs, series } = historySince(ring, { ...query, durationMs: 10_000 })
    expect(stepMs).toBe(0)
    expect([...timesMs]).toEqual(Array.from({ length: 11 }, (_, i) => (89 + i) * 1000))
    expect([...(series[0]?.mean ?? [])]).toEqual(Array.from({ length: 11 }, (_, i) => (89 + i) * 2))
  })

  it('shows a gap as a point without a number, so that no line is drawn over it', () => {
    const { timesMs, series } = historySince(
      ringOf([
        [0, 1],
        [1, 2],
        [9, 3],
      ]),
      query,
    )
    expect([...timesMs]).toEqual([0, 1000, 5000, 9000])
    expect([...(series[0]?.mean ?? [])]).toEqual([1, 2, NaN, 3])
  })

  it('puts rows from before a step back of the clock where their time belongs', () => {
    const rows: [number, number][] = [
      [10, 1],
      [11, 2],
      [9, 3],
      [10.5, 4],
    ]
    const { timesMs, series } = historySince(ringOf(rows), query)
    expect([...timesMs]).toEqual([9000, 10_000, 10_500])
    expect([...(series[0]?.mean ?? [])]).toEqual([3, 1, 4])
  })

  it('is empty while the ring is', () => {
    const { timesMs, series } = historySince(new SampleRing(10), query)
    expect([timesMs.length, series[0]?.mean.length]).toEqual([0, 0])
  })

  it('bins to at most the asked points, with the true minimum, mean and maximum of each bin', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.constant(NaN)), {
          minLength: 1,
          maxLength: 300,
        }),
        fc.integer({ min: 2, max: 100 }),
        fc.nat(10_000),
        (values, maxPoints, startSeconds) => {
          const rows = values.map((each, i): [number, number] => [startSeconds + i, each])
          const { stepMs, timesMs, series } = historySince(ringOf(rows), {
            ...query,
            durationMs: 1e9,
            maxPoints,
          })
          const [column] = series
          for (const atMs of timesMs) expect(stepMs === 0 ? 0 : atMs % stepMs).toBe(0)
          expect(timesMs.length).toBeLessThanOrEqual(maxPoints)
          timesMs.forEach((fromMs, i) => {
            const inside = rows
              .filter(([at]) => at * 1000 >= fromMs && at * 1000 < fromMs + Math.max(1, stepMs))
              .map(([, each]) => each)
              .filter((each) => Number.isFinite(each))
            const [min, max] = inside.length > 0 ? [Math.min(...inside), Math.max(...inside)] : [NaN, NaN]
            const mean = inside.reduce((sum, each) => sum + each, 0) / inside.length
            expect(column?.min[i]).toEqual(min)
            expect(column?.max[i]).toEqual(max)
            if (inside.length > 0) expect(column?.mean[i]).toBeCloseTo(mean)
            else expect(column?.mean[i]).toBeNaN()
          })
          const shown = rows.filter(([at]) => at * 1000 >= (timesMs[0] ?? Infinity)).length
          expect(shown).toBe(rows.length)
        },
      ),
    )
  })
})
