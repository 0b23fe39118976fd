import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorRatio, latencyBoundsMs, type Bin } from '../../../../src/contract/index.ts'
import { countsOf } from '../../../../src/engine/canary/index.ts'
import {
  finestBins,
  mergeBins,
  newestFigure,
  presentFigure,
  releaseColumns,
  stepFor,
  stepForBins,
  wholeColumns,
} from '../../../../src/renderer/domain/deployments/bin-columns.ts'
import { uneventful } from '../../../support/uneventful.ts'

const bin = (atMs: number, change: Partial<Bin> = {}): Bin => ({
  atMs,
  durationMs: 1000,
  releaseId: 'r43',
  requests: 100,
  errors: 2,
  ...uneventful,
  timeouts: 0,
  inFlight: 0,
  oldestInFlightMs: 0,
  latencyCounts: latencyBoundsMs.map((bound) => (bound >= 31 && bound < 33 ? 100 : 0)),
  ...change,
})

describe('the lines of a release', () => {
  it('sum the bins of a point: ratio by requests, rate by the time that really passed', () => {
    const { errors, requests } = releaseColumns(
      [bin(0), bin(1000, { requests: 300, errors: 30, durationMs: 3000 })],
      'r43',
      10_000,
    )
    expect([...errors.mean]).toEqual([32 / 400])
    expect([...requests.mean]).toEqual([100])
  })

  it('have the error ratio of the judge, and show requests that clients gave up on', () => {
    const bins = [bin(0, { requests: 40, errors: 10, diverted: 10, abandoned: 50 })]
    const { errors, abandoned, requests } = releaseColumns(bins, 'r43', 1000)
    expect([...errors.mean]).toEqual([errorRatio(countsOf(bins, 'r43'))])
    expect([...errors.mean]).toEqual([0.4])
    expect([...abandoned.mean]).toEqual([0.5])
    expect([...requests.mean]).toEqual([90])
  })

  it('give the p95 of the histogram in seconds, within a bin of it', () => {
    const [p95 = Number.NaN] = releaseColumns([bin(0)], 'r43', 1000).p95.mean
    expect(p95).toBeGreaterThan(0.029)
    expect(p95).toBeLessThan(0.033)
  })

  it('have a gap where no bins are, and no ratio without requests', () => {
    const { errors } = releaseColumns([bin(0), bin(5000, { requests: 0, errors: 0 }), bin(6000)], 'r43', 1000)
    expect([...errors.timesMs]).toEqual([0, 1000, 5000, 6000])
    expect([...errors.mean]).toEqual([0.02, Number.NaN, Number.NaN, 0.02])
  })

  it('have no gaps between bins that last longer than a point', () => {
    const kept = [0, 5000, 9000, 15_000].map((atMs) => bin(atMs, { durationMs: 5000 }))
    const { errors } = releaseColumns(kept, 'r43', 1000)
    expect([...errors.timesMs]).toEqual([0, 5000, 9000, 15_000])
  })

  it('have no gaps between bins that follow one another, wherever they begin within a point', () => {
    const lasting = [
      [4480, 6000],
      [10_480, 5000],
      [15_480, 5000],
      [20_480, 4000],
      [24_480, 6000],
      [30_480, 5000],
    ] as const
    const { errors } = releaseColumns(
      lasting.map(([atMs, durationMs]) => bin(atMs, { durationMs })),
      'r43',
      5000,
    )
    expect([...errors.mean].some(Number.isNaN)).toBe(false)
  })

  it('have points as long as the bins are, whatever one of them was stretched to', () => {
    expect(stepForBins([bin(0), bin(1000), bin(2000, { durationMs: 900_000 })], 60_000)).toBe(1000)
    expect(
      stepForBins(
        [0, 5000, 9000].map((atMs) => bin(atMs, { durationMs: 5000 })),
        60_000,
      ),
    ).toBe(5000)
    expect(stepForBins([], 60_000)).toBe(1000)
  })

  it('leave out the other release', () => {
    expect(releaseColumns([bin(0, { releaseId: 'r42' })], 'r43', 1000).errors.length).toBe(0)
  })

  it('of all releases together count time that several of them cover once', () => {
    const [r42, r43] = [
      { releaseId: 'r42', durationMs: 60_000, requests: 6000 },
      { releaseId: 'r43', durationMs: 20_000, requests: 600 },
    ]
    const { requests, errors } = wholeColumns([bin(40_000, r43), bin(0, r42)], 60_000)
    expect([...requests.mean]).toEqual([110])
    expect([...errors.mean]).toEqual([4 / 6600])
    expect([
      ...wholeColumns([bin(0), bin(0, { releaseId: 'r42' }), bin(1000)], 60_000).requests.mean,
    ]).toEqual([150])
  })

  it('have a newest figure that is old once two points without one have passed', () => {
    const { errors } = releaseColumns([bin(0), bin(60_000, { requests: 0, errors: 0 })], 'r43', 60_000)
    expect(newestFigure(errors, 119_000)).toEqual({ value: 0.02, oldMs: null })
    expect(newestFigure(errors, 300_000)).toEqual({ value: 0.02, oldMs: 240_000 })
    expect(newestFigure(releaseColumns([], 'r43', 60_000).errors, 0)).toEqual({ value: NaN, oldMs: null })
    expect(presentFigure(errors, 119_000)).toBe(0.02)
    expect(presentFigure(errors, 300_000)).toBeNaN()
    expect(presentFigure(undefined, 0)).toBeNaN()
  })

  it('have no more points than a chart can show, whatever the span', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1e10 }), (spanMs) => spanMs / stepFor(spanMs) <= 300))
  })
})

describe('bins that come in parts', () => {
  it('show each second of a canary that ended where the router still has it', () => {
    const kept = [0, 5000].map((atMs) => bin(atMs, { durationMs: 5000, requests: 500 }))
    const seconds = [
      bin(-60_000, { durationMs: 60_000 }),
      ...[5000, 6000, 7000, 8000, 9000, 10_000].map((atMs) => bin(atMs)),
    ]
    const finest = finestBins(kept, seconds, 9000)
    expect(finest.map(({ atMs, durationMs }) => [atMs, durationMs])).toEqual([
      [0, 5000],
      ...[5000, 6000, 7000, 8000, 9000].map((atMs) => [atMs, 1000]),
    ])
    expect(stepForBins(finest, 299_000)).toBe(1000)
    expect(finestBins(kept, [], 9000)).toEqual(kept)
  })

  it('are each there once, newest as it came last, in order of time', () => {
    const merged = mergeBins(
      [bin(2000), bin(1000)],
      [bin(2000, { requests: 7 }), bin(2000, { releaseId: 'r42' })],
      1500,
    )
    expect(merged.map(({ atMs, releaseId, requests }) => [atMs, releaseId, requests])).toEqual([
      [2000, 'r43', 7],
      [2000, 'r42', 100],
    ])
  })
})
