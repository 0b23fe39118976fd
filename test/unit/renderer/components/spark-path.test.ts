import { describe, expect, it } from 'vitest'
import { peakOf, sparkPaths } from '../../../../src/renderer/components/spark-path.ts'

const frame = { width: 100, height: 50, fromMs: 0, toMs: 10_000, top: 1 }
const paths = (times: number[], values: number[]) =>
  sparkPaths(Float64Array.from(times), Float64Array.from(values), frame)

describe('a sparkline', () => {
  it('runs from the older at the left to the newer at the right, larger values higher', () => {
    expect(paths([0, 5000, 10_000], [0, 0.5, 1]).line).toBe('M0.0 50.0L50.0 25.0L100.0 0.0')
  })

  it('has its area down to the lower edge', () => {
    expect(paths([0, 5000], [1, 1]).area).toBe('M0.0 50L0.0 0.0L50.0 0.0L50.0 50L0.0 50Z')
  })

  it('breaks where nothing was measured and where nothing came', () => {
    expect(paths([0, 1000, 2000, 3000], [1, Number.NaN, 1, 1]).line).toBe('M0.0 0.0M20.0 0.0L30.0 0.0')
    expect(paths([0, 1000, 9000, 10_000], [1, 1, 1, 1]).line).toBe('M0.0 0.0L10.0 0.0M90.0 0.0L100.0 0.0')
  })

  it('stays inside its frame', () => {
    expect(paths([-1000, 5000, 6000, 11_000], [0, 7, -3, 0]).line).toBe('M50.0 0.0L60.0 50.0')
  })

  it('is nothing without samples', () => {
    expect(paths([], [])).toEqual({ line: '', area: '' })
  })
})

describe('the peak', () => {
  it('is the largest number within the time, or none', () => {
    const times = Float64Array.of(1, 2, 3, 4)
    expect(peakOf(times, Float64Array.of(9, Number.NaN, 2, 3), 2, 4)).toBe(3)
    expect(peakOf(times, Float64Array.of(9, Number.NaN, 2, 3), 2, 2)).toBeNaN()
  })
})
