import { describe, expect, it } from 'vitest'
import { seededRng } from '../../../../src/base/index.ts'
import { leastExcess, logEvidence, wilson } from '../../../../src/engine/canary/certainty.ts'
import { Watch } from './made-bins.ts'

const early = { isEarly: true }
const warmingUp = { limits: { warmUpMs: 600_000 } }

describe('a failure that is certain', () => {
  it('ends a canary at an early look, during warm-up: 20% errors against a limit of 1%', async () => {
    const judgement = await new Watch(warmingUp).look(
      [
        { releaseId: 'r1', requests: 810, errors: 2 },
        { releaseId: 'r2', requests: 90, errors: 18 },
      ],
      early,
    )
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toBe(
      'r2 fails 20% of 90 requests (stable r1: 0.2%, limit 1%), which is enough to decide now',
    )
  })

  it.each([
    ['few failures', 5, 20],
    ['a share little over the limit', 12, 400],
    ['three times the usual errors of a start', 15, 1000],
  ])('is not seen in %s', async (_, errors, requests) => {
    const bins = [
      { releaseId: 'r1', requests: 9000, errors: 45 },
      { releaseId: 'r2', requests, errors },
    ]
    expect((await new Watch(warmingUp).look(bins, early)).decision).toBe('continue')
  })

  it('is not seen in an outage that hits both releases alike', async () => {
    const bins = [
      { releaseId: 'r1', requests: 900, errors: 270 },
      { releaseId: 'r2', requests: 100, errors: 30 },
    ]
    expect((await new Watch(warmingUp).look(bins, early)).decision).toBe('continue')
  })

  it('is seen across two evaluations, and forgotten after', async () => {
    const watch = new Watch(warmingUp)
    const half = [
      { releaseId: 'r1', requests: 500 },
      { releaseId: 'r2', requests: 45, errors: 9 },
    ]
    expect((await watch.look(half)).decision).toBe('continue')
    expect((await watch.look(half)).decision).toBe('rollback')
  })
})

describe('the evidence against a share of failures', () => {
  it('reaches 1 in 100 by chance in fewer than 1 of 100 series, however often it is looked at', () => {
    const rng = seededRng(3)
    let alarms = 0
    for (let series = 0; series < 1000; series++) {
      let failed = 0
      for (let trials = 1; trials <= 300; trials++) {
        if (rng.next() < 0.1) failed++
        if (logEvidence(failed, trials, 0.1) < Math.log(100)) continue
        alarms++
        break
      }
    }
    expect(alarms).toBeLessThan(10)
  })

  it('proves nothing of nothing, nor against a limit that nothing can exceed', () => {
    const highest = wilson(900, 900, 3).high
    expect(
      [highest, 1, 0].map((limit) => logEvidence(200, 200, limit)).concat(logEvidence(0, 0, 0.1)),
    ).toEqual([0, 0, 0, 0])
  })
})

describe('intervals of shares', () => {
  it('are those of the papers', () => {
    // Newcombe 1998: 56/70 against 48/80 at 95% gives 0.0524 to 0.3339 (table II, method 10).
    expect(leastExcess({ successes: 56, trials: 70 }, { successes: 48, trials: 80 }, 1.96)).toBeCloseTo(
      0.0524,
      4,
    )
    // Newcombe 1998: 81/263 at 95% gives 0.2553 to 0.3662 (score without continuity correction).
    expect(wilson(81, 263, 1.96).low).toBeCloseTo(0.2553, 3)
    expect(wilson(81, 263, 1.96).high).toBeCloseTo(0.3662, 3)
  })

  it('are open where nothing was tried', () => {
    expect(wilson(0, 0, 3)).toEqual({ low: 0, high: 1 })
  })
})
