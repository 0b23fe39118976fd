import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Columns } from '../../../../src/renderer/charts/columns.ts'
import { decimate, emptyOutline, type Points } from '../../../../src/renderer/charts/decimate.ts'

const columnsOf = (values: number[], stepMs = 0) => {
  const mean = Float64Array.from(values)
  return new Columns(
    {
      timesMs: mean.map((_value, index) => index * (stepMs || 1000)),
      min: mean.slice(),
      mean,
      max: mean.slice(),
    },
    stepMs,
  )
}

const list = (points: Points) =>
  Array.from({ length: points.count }, (_, index) => [points.timesMs[index], points.values[index]])

const value = fc.oneof(
  { weight: 9, arbitrary: fc.double({ min: 0, max: 1e9, noNaN: true }) },
  fc.constant(Number.NaN),
)

describe('what is drawn of samples', () => {
  it('is every sample while there is room', () => {
    const outline = emptyOutline()
    decimate(columnsOf([1, 5, 2]), 0, 2000, 100, outline)
    expect(list(outline.line)).toEqual([
      [0, 1],
      [1000, 5],
      [2000, 2],
    ])
    expect(outline.low.count).toBe(0)
  })

  it('never loses the highest or lowest sample of the range', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 3000 }),
        fc.integer({ min: 10, max: 300 }),
        (values, pixels) => {
          const outline = emptyOutline()
          decimate(columnsOf(values), 0, values.length * 1000, pixels, outline)
          const numbers = values.filter((one) => !Number.isNaN(one))
          const drawn = list(outline.line)
            .map(([, y]) => y ?? 0)
            .filter((one) => !Number.isNaN(one))
          expect(Math.max(...drawn)).toBe(Math.max(...numbers))
          expect(Math.min(...drawn)).toBe(Math.min(...numbers))
        },
      ),
    )
  })

  it('has at most two numbers a pixel, in the order of time', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 700, maxLength: 4000 }), (values) => {
        const pixels = 100
        const outline = emptyOutline()
        decimate(columnsOf(values), 0, values.length * 1000, pixels, outline)
        const drawn = list(outline.line)
        expect(drawn.filter(([, y]) => !Number.isNaN(y)).length).toBeLessThanOrEqual(2 * (pixels + 2))
        const times = drawn.map(([x]) => x ?? 0)
        expect(times).toEqual([...times].sort((a, b) => a - b))
      }),
    )
  })

  it('breaks the line where a gap is wider than a pixel', () => {
    const values = Array.from({ length: 2000 }, (_, index) => (index >= 500 && index < 600 ? Number.NaN : 1))
    const outline = emptyOutline()
    decimate(columnsOf(values), 0, 2_000_000, 100, outline)
    expect(list(outline.line).filter(([, y]) => Number.isNaN(y))).not.toHaveLength(0)
    const inside = list(outline.line).filter(
      ([x, y]) => (x ?? 0) >= 500_000 && (x ?? 0) < 600_000 && !Number.isNaN(y),
    )
    expect(inside).toHaveLength(0)
  })
})

describe('what is drawn of bins', () => {
  it('is the mean in the middle of each bin, and the band around it', () => {
    const columns = new Columns(
      {
        timesMs: Float64Array.of(0, 60_000),
        min: Float64Array.of(1, 2),
        mean: Float64Array.of(3, 4),
        max: Float64Array.of(9, 8),
      },
      60_000,
    )
    const outline = emptyOutline()
    decimate(columns, 0, 120_000, 100, outline)
    expect(list(outline.line)).toEqual([
      [30_000, 3],
      [90_000, 4],
    ])
    expect(list(outline.low)).toEqual([
      [30_000, 1],
      [90_000, 2],
    ])
    expect(list(outline.high)).toEqual([
      [30_000, 9],
      [90_000, 8],
    ])
  })

  it('keeps the band around the line when many bins share a pixel', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 300, maxLength: 1000 }), (values) => {
        const outline = emptyOutline()
        decimate(columnsOf(values, 60_000), 0, values.length * 60_000, 50, outline)
        for (let index = 0; index < outline.line.count; index++) {
          const middle = outline.line.values[index] ?? 0
          if (Number.isNaN(middle)) continue
          const slack = Math.abs(middle) * 1e-9
          expect(outline.low.values[index]).toBeLessThanOrEqual(middle + slack)
          expect(outline.high.values[index]).toBeGreaterThanOrEqual(middle - slack)
        }
        expect(outline.low.count).toBe(outline.line.count)
      }),
    )
  })
})
