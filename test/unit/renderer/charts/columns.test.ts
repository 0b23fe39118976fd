import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Columns } from '../../../../src/renderer/charts/columns.ts'

const samples = (...pairs: [timeMs: number, value: number][]) => {
  const timesMs = Float64Array.from(pairs, ([timeMs]) => timeMs)
  const mean = Float64Array.from(pairs, ([, value]) => value)
  return { timesMs, min: mean.slice(), mean, max: mean.slice() }
}

describe('columns of samples', () => {
  it('continues history with live samples, each once', () => {
    const columns = new Columns(samples([1000, 1], [2000, 2]), 0)
    columns.append(2000, 9)
    columns.append(3000, 3)
    expect([...columns.timesMs]).toEqual([1000, 2000, 3000])
    expect([...columns.mean]).toEqual([1, 2, 3])
  })

  it('puts a break where samples are missing', () => {
    const columns = new Columns(samples([1000, 1]), 0)
    columns.append(9000, 2)
    expect([...columns.mean]).toEqual([1, Number.NaN, 2])
  })

  it('does not call two late samples a gap', () => {
    const columns = new Columns(samples([1000, 1]), 0)
    columns.append(4000, 2)
    expect([...columns.mean]).toEqual([1, 2])
  })

  it('has no value inside a gap and the nearest one beside it', () => {
    const columns = new Columns(samples([1000, 1]), 0)
    columns.append(60_000, 2)
    expect(columns.valueAt(1400)).toBe(1)
    expect(columns.valueAt(30_000)).toBeNaN()
    expect(columns.valueAt(59_800)).toBe(2)
  })

  it('keeps one point before the range, so that the line enters from the left', () => {
    const columns = new Columns(samples([1000, 1], [2000, 2], [3000, 3]), 0)
    columns.trimBefore(2500)
    expect([...columns.timesMs]).toEqual([2000, 3000])
  })

  it('holds what was appended since the last trim, however it grew and moved', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ value: fc.double({ noNaN: true }), isTrimmed: fc.boolean() }), {
          maxLength: 2000,
        }),
        (steps) => {
          const columns = new Columns(undefined, 0)
          let expected: { timeMs: number; value: number }[] = []
          steps.forEach(({ value, isTrimmed }, index) => {
            const timeMs = index * 1000
            columns.append(timeMs, value)
            expected.push({ timeMs, value })
            if (isTrimmed) {
              columns.trimBefore(timeMs - 5000)
              const first = expected.findIndex((point) => point.timeMs >= timeMs - 5000)
              expected = expected.slice(Math.max(0, first - 1))
            }
          })
          expect([...columns.timesMs]).toEqual(expected.map(({ timeMs }) => timeMs))
          expect([...columns.mean]).toEqual(expected.map(({ value }) => value))
        },
      ),
    )
  })
})

describe('columns of bins', () => {
  const bin = (timeMs: number, min: number, mean: number, max: number) => ({
    timesMs: Float64Array.of(timeMs),
    min: Float64Array.of(min),
    mean: Float64Array.of(mean),
    max: Float64Array.of(max),
  })

  it('folds live samples into the newest bin until its time is over', () => {
    const columns = new Columns(bin(60_000, 4, 4, 4), 10_000)
    columns.append(61_000, 8)
    columns.append(69_999, 0)
    columns.append(70_500, 5)
    expect([...columns.timesMs]).toEqual([60_000, 70_000])
    expect([...columns.min]).toEqual([0, 5])
    expect([...columns.mean]).toEqual([4, 5])
    expect([...columns.max]).toEqual([8, 5])
  })

  it('weighs a live sample against those the engine already put into the bin', () => {
    const columns = new Columns(bin(60_000, 1, 1, 1), 10_000)
    columns.append(69_000, 11)
    expect(columns.mean[0]).toBe(2)
  })

  it('answers for any moment of a bin, and for none after it', () => {
    const columns = new Columns(bin(60_000, 4, 4, 4), 10_000)
    expect(columns.valueAt(69_000)).toBe(4)
    expect(columns.valueAt(59_000)).toBeNaN()
    expect(columns.valueAt(85_000)).toBeNaN()
  })

  it('keeps least <= mean <= greatest whatever is folded', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 }),
        (values) => {
          const columns = new Columns(undefined, 10_000)
          values.forEach((value, index) => columns.append(index * 1000, value))
          for (let index = 0; index < columns.length; index++) {
            const [min, mean, max] = [
              columns.min[index] ?? 0,
              columns.mean[index] ?? 0,
              columns.max[index] ?? 0,
            ]
            expect(mean - min).toBeGreaterThanOrEqual(-1e-6)
            expect(max - mean).toBeGreaterThanOrEqual(-1e-6)
          }
        },
      ),
    )
  })
})

describe('the extent of columns', () => {
  it('tells least, mean, greatest and when, of the asked stretch only', () => {
    const columns = new Columns(samples([1000, 50], [2000, 1], [3000, 6], [4000, 2], [5000, 90]), 0)
    expect(columns.extent(2000, 4000)).toEqual({ min: 1, mean: 3, max: 6, maxAtMs: 3000 })
  })

  it('is nothing where nothing was measured', () => {
    expect(new Columns(samples([1000, Number.NaN]), 0).extent(0, 9000)).toBeNull()
  })
})
