import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { latencyBoundsMs } from '../../../../src/contract/index.ts'
import { addCounts, countsOf, noCounts, quantileMs } from '../../../../src/engine/canary/index.ts'
import { bin } from './made-bins.ts'

const histogram = fc
  .array(fc.nat(50), { minLength: latencyBoundsMs.length + 1, maxLength: latencyBoundsMs.length + 1 })
  .map((latencyCounts) => ({ ...noCounts(), latencyCounts }))

describe('a latency quantile', () => {
  it('never falls when the share rises, and stays within the bounds of the histogram', () => {
    fc.assert(
      fc.property(
        histogram,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (counts, a, b) => {
          const [low, high] = [quantileMs(counts, Math.min(a, b)), quantileMs(counts, Math.max(a, b))]
          if (low === null || high === null) return low === high
          return low <= high + 1e-9 && low >= 0.125 && high <= (latencyBoundsMs.at(-1) ?? 0)
        },
      ),
    )
  })

  it('is within 9% of the true one for a known distribution', () => {
    const counts = countsOf([bin({ releaseId: 'r1', requests: 50_000, p50Ms: 40 })], 'r1')
    expect(quantileMs(counts, 0.5)).toBeGreaterThan(40 * 0.91)
    expect(quantileMs(counts, 0.5)).toBeLessThan(40 * 1.09)
    const p99 = 40 * Math.exp(0.6 * 2.326)
    expect(quantileMs(counts, 0.99)).toBeGreaterThan(p99 * 0.91)
    expect(quantileMs(counts, 0.99)).toBeLessThan(p99 * 1.09)
  })

  it('is null of nothing', () => {
    expect(quantileMs(noCounts(), 0.95)).toBeNull()
  })

  it('does not depend on the order in which bins are added', () => {
    fc.assert(
      fc.property(histogram, histogram, (a, b) => {
        const ab = noCounts()
        addCounts(ab, a)
        addCounts(ab, b)
        const ba = noCounts()
        addCounts(ba, b)
        addCounts(ba, a)
        expect(ab).toEqual(ba)
      }),
    )
  })
})
