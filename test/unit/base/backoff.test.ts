import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../../src/base/index.ts'

describe('the wait after failures in a row', () => {
  const backoff = { firstMs: 500, longestMs: 30_000 }

  it('doubles from the first to the longest, half of it jitter', () => {
    expect([1, 2, 3, 7, 50, 2000].map((failures) => backoffMs(failures, backoff, 0))).toEqual([
      250, 500, 1000, 15_000, 15_000, 15_000,
    ])
    expect(backoffMs(2, backoff, 0.5)).toBe(750)
    expect(backoffMs(2000, backoff, 0.999)).toBeLessThanOrEqual(30_000)
  })
})
