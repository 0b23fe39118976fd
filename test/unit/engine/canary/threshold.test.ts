import { describe, expect, it } from 'vitest'
import { countsOf } from '../../../../src/engine/canary/index.ts'
import { bin, Watch, type Made } from './made-bins.ts'

const stable: Made = { releaseId: 'r1', requests: 5000, errors: 15 }
const over = { isHoldOver: true }

describe('the threshold judge on errors', () => {
  it('finds a candidate good that keeps every limit, and says over how many requests', async () => {
    const judgement = await new Watch().look([stable, { releaseId: 'r2', requests: 500, errors: 1 }])
    expect(judgement.decision).toBe('promote')
    expect(judgement.text).toBe('r2 stays within every limit over 500 requests')
  })

  it('rolls back after three windows in a row over the limit, naming both figures and the limit', async () => {
    const watch = new Watch()
    const bad = [stable, { releaseId: 'r2', requests: 500, errors: 12 }]
    expect((await watch.look(bad)).decision).toBe('continue')
    expect((await watch.look(bad)).decision).toBe('continue')
    const judgement = await watch.look(bad)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toBe(
      'r2 fails 2.4% of requests (stable r1: 0.3%, limit 1%), 3 consecutive failures',
    )
    const errors = judgement.findings.find(({ metric }) => metric === 'errors')
    expect(errors).toMatchObject({
      candidate: 0.024,
      stable: 0.003,
      limit: 0.01,
      verdict: 'worse',
      sinceMs: 30_000,
    })
  })

  it('begins to count again after a window that keeps the limit', async () => {
    const watch = new Watch()
    const bad = [stable, { releaseId: 'r2', requests: 500, errors: 12 }]
    const good = [stable, { releaseId: 'r2', requests: 500, errors: 1 }]
    for (const window of [bad, bad, good, bad, bad])
      expect((await watch.look(window)).decision).not.toBe('rollback')
    expect((await watch.look(bad)).decision).toBe('rollback')
  })

  it('gives a release that a person has let go on its strikes anew', async () => {
    const watch = new Watch()
    const bad = [stable, { releaseId: 'r2', requests: 120, errors: 6 }]
    for (let i = 0; i < 3; i++) await watch.look(bad)
    watch.hold += 1
    expect((await watch.look([stable, { releaseId: 'r2', requests: 20 }])).decision).toBe('continue')
    expect((await watch.look(bad)).decision).toBe('continue')
  })

  it('carries strikes from one hold to the next', async () => {
    const watch = new Watch()
    const bad = [stable, { releaseId: 'r2', requests: 500, errors: 12 }]
    await watch.look(bad)
    await watch.look(bad)
    watch.hold = 2
    expect((await watch.look(bad)).decision).toBe('rollback')
  })

  it('rolls back for errors far above those of the stable release though below the absolute limit', async () => {
    const watch = new Watch()
    const bad = [
      { releaseId: 'r1', requests: 50_000, errors: 5 },
      { releaseId: 'r2', requests: 5000, errors: 40 },
    ]
    await watch.look(bad)
    await watch.look(bad)
    const judgement = await watch.look(bad)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('limit twice that')
  })

  it('takes one error against none for chance', async () => {
    const watch = new Watch()
    const lone = [
      { releaseId: 'r1', requests: 5000 },
      { releaseId: 'r2', requests: 500, errors: 1 },
    ]
    for (let i = 0; i < 5; i++) expect((await watch.look(lone)).decision).toBe('promote')
  })

  it('does not wait for strikes nor warm-up when most requests fail', async () => {
    const watch = new Watch({ limits: { warmUpMs: 600_000 } })
    const judgement = await watch.look([stable, { releaseId: 'r2', requests: 40, errors: 30 }])
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toBe(
      'r2 fails 75% of 40 requests (stable r1: 0.3%, limit 1%), which is enough to decide now',
    )
  })

  it('does not wait for a full window of few requests when most of them fail', async () => {
    const watch = new Watch()
    const slow = [
      { releaseId: 'r1', requests: 30 },
      { releaseId: 'r2', requests: 3, errors: 3 },
    ]
    for (let looks = 1; looks < 4; looks++) expect((await watch.look(slow)).decision).toBe('continue')
    const judgement = await watch.look(slow)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toBe(
      'r2 fails 100% of 12 requests (stable r1: 0%, limit 1%), which is enough to decide now',
    )
  })

  it('shows the figures of the whole hold, and not 0%, while there are no newer ones', async () => {
    const watch = new Watch()
    await watch.look([stable, { releaseId: 'r2', requests: 500, errors: 2 }])
    const { findings } = await watch.look([stable])
    expect(findings.find(({ metric }) => metric === 'errors')).toMatchObject({ candidate: 0.004 })
  })

  it('still says whole sentences when the requests after the last strike keep the limit', async () => {
    const watch = new Watch()
    const bad = [stable, { releaseId: 'r2', requests: 500, errors: 12 }]
    for (let i = 0; i < 3; i++) await watch.look(bad)
    const { text } = await watch.look([stable, { releaseId: 'r2', requests: 20 }])
    expect(text).toBe('r2 exceeded a limit, 3 consecutive failures')
  })

  it('does not blame the candidate at once for what hits both releases', async () => {
    const outage = [
      { releaseId: 'r1', requests: 500, errors: 450 },
      { releaseId: 'r2', requests: 50, errors: 45 },
    ]
    expect((await new Watch().look(outage)).decision).toBe('continue')
  })

  it('lets bursts add up: the whole hold is held to the limits at its end', async () => {
    const watch = new Watch()
    const burst = [stable, { releaseId: 'r2', requests: 500, errors: 20 }]
    const calm = [stable, { releaseId: 'r2', requests: 500, errors: 1 }]
    await watch.look(burst)
    await watch.look(calm)
    const judgement = await watch.look(calm, over)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('over the whole step')
  })
})

describe('the threshold judge on latency', () => {
  it('rolls back when the p95 is more than 20 % above that of the stable release', async () => {
    const watch = new Watch()
    const slow = [stable, { releaseId: 'r2', requests: 2000, p50Ms: 60 }]
    await watch.look(slow)
    await watch.look(slow)
    const judgement = await watch.look(slow)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toMatch(/^p95 latency of r2 is 1\d\d ms \(stable r1: 1\d\d ms, limit 1\d\d ms\)/)
  })

  it('names a limit only where one is held to: p50 and p99 stand beside the p95 without', async () => {
    const { findings } = await new Watch().look([stable, { releaseId: 'r2', requests: 2000, p50Ms: 60 }])
    const latencies = findings.filter(({ metric }) => metric.startsWith('latency'))
    expect(latencies.map(({ metric, limit }) => [metric, limit !== null])).toEqual([
      ['latency_p50', false],
      ['latency_p95', true],
      ['latency_p99', false],
    ])
    for (const { text, limit } of latencies) expect(text.includes('limit')).toBe(limit !== null)
  })

  it('lets the same distribution pass, window after window', async () => {
    const watch = new Watch()
    for (let i = 0; i < 20; i++)
      expect((await watch.look([stable, { releaseId: 'r2', requests: 120 }])).decision).not.toBe('rollback')
  })

  it('compares with the stable release of before where it has too few requests now', async () => {
    const baseline = countsOf([bin({ releaseId: 'r1', requests: 4000 })], 'r1')
    const watch = new Watch({ baseline })
    const slow = [
      { releaseId: 'r1', requests: 10 },
      { releaseId: 'r2', requests: 2000, p50Ms: 80 },
    ]
    await watch.look(slow)
    await watch.look(slow)
    const judgement = await watch.look(slow)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('stable r1 before the deployment: ')
  })

  it('holds a fix to absolute limits only: a broken stable release that fails fast is no measure', async () => {
    const watch = new Watch({ isFix: true })
    const judgement = await watch.look([
      { releaseId: 'r1', requests: 5000, errors: 4000, p50Ms: 1 },
      { releaseId: 'r2', requests: 500 },
    ])
    expect(judgement.decision).toBe('promote')
  })
})

describe('the threshold judge without enough to go by', () => {
  it('is inconclusive with the figures when the hold is over and too few requests came', async () => {
    const judgement = await new Watch().look([stable, { releaseId: 'r2', requests: 40 }], over)
    expect(judgement.decision).toBe('inconclusive')
    expect(judgement.text).toBe('r2 had 40 requests; 100 are needed to judge it')
  })

  it('adds windows up until there are enough requests', async () => {
    const watch = new Watch()
    expect((await watch.look([stable, { releaseId: 'r2', requests: 60 }])).decision).toBe('continue')
    expect((await watch.look([stable, { releaseId: 'r2', requests: 60 }])).decision).toBe('promote')
  })

  it.each([
    ['pause', 'inconclusive'],
    ['promote', 'promote'],
    ['rollback', 'rollback'],
  ] as const)(
    'follows the policy %s when no traffic reached the candidate',
    async (onNoTraffic, decision) => {
      const judgement = await new Watch({ limits: { onNoTraffic } }).look([stable], over)
      expect(judgement.decision).toBe(decision)
      expect(judgement.text).toContain('r2 had no requests at a weight of 10%')
    },
  )

  it('takes four answers without data for a hiccup, and the fifth for the policy', async () => {
    const watch = new Watch({ limits: { onNoData: 'rollback' } })
    const dead = { sourceTrouble: 'the router did not answer' }
    for (let i = 0; i < 4; i++) expect((await watch.look([], dead)).decision).toBe('continue')
    const judgement = await watch.look([], dead)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('the router did not answer')
  })

  it('forgets four answers without data when the fifth has some', async () => {
    const watch = new Watch({ limits: { onNoData: 'rollback' } })
    const dead = { sourceTrouble: 'the router did not answer' }
    for (let i = 0; i < 4; i++) await watch.look([], dead)
    expect((await watch.look([stable, { releaseId: 'r2', requests: 500 }])).decision).toBe('promote')
    expect((await watch.look([], dead)).decision).toBe('continue')
  })

  it.each([
    ['NaN', { errors: Number.NaN }],
    ['infinite', { requests: Number.POSITIVE_INFINITY }],
    ['negative', { timeouts: -1 }],
  ])('counts a bin with a %s number as no data', async (_, wrong) => {
    const judgement = await new Watch().look([{ ...bin({ releaseId: 'r2', requests: 0 }), ...wrong }])
    expect(judgement.decision).toBe('continue')
    expect(judgement.text).toContain('held no valid numbers')
  })

  it('drops bins that a suspend has cut', async () => {
    const judgement = await new Watch().look([
      { releaseId: 'r2', requests: 500, errors: 500, durationMs: 3_600_000 },
    ])
    expect(judgement.decision).toBe('continue')
    expect(judgement.text).toContain('cut by a suspend')
  })

  it('skips the warm-up', async () => {
    const watch = new Watch({ limits: { warmUpMs: 60_000 } })
    const bad = [stable, { releaseId: 'r2', requests: 500, errors: 20 }]
    expect((await watch.look(bad)).text).toBe('r2 is warming up')
    expect((await watch.look(bad)).text).toBe('r2 is warming up')
    const good = [stable, { releaseId: 'r2', requests: 500 }]
    expect((await watch.look(good, over)).decision).toBe('promote')
  })
})
