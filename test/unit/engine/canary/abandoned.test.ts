import { describe, expect, it } from 'vitest'
import { Watch, type Made } from './made-bins.ts'
import type { Bin } from '../../../../src/contract/index.ts'

type MadeBin = Made & Partial<Bin>
const stable: MadeBin = { releaseId: 'r1', requests: 900 }
const silent: MadeBin = { releaseId: 'r2', requests: 0, abandoned: 40 }
const over = { isHoldOver: true }

describe('the threshold judge on requests whose clients gave up', () => {
  it.each([
    ['beside a stable release that answers', {}, stable],
    ['without a stable release', { stableReleaseId: null }, { ...stable, releaseId: 'r0' }],
    ['as a fix of a stable release that answers', { isFix: true }, stable],
    [
      'as a fix of a stable release that answers nothing either',
      { isFix: true },
      { releaseId: 'r1', requests: 0, abandoned: 900 },
    ],
    ['beside a slow stable release that loses clients too', {}, { ...stable, requests: 450, abandoned: 450 }],
  ] as const)('rolls back a candidate that answers nothing, %s', async (_, context, other) => {
    const judgement = await new Watch({ ...context, limits: { warmUpMs: 600_000 } }).look([other, silent])
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('Clients gave up on all 40 requests to r2 before it answered')
    expect(judgement.findings).toMatchObject([{ metric: 'abandoned', candidate: 1, verdict: 'worse' }])
  })

  it('rolls back a candidate that loses clearly more clients than the stable release', async () => {
    const watch = new Watch()
    const bad = [
      { ...stable, abandoned: 9 },
      { releaseId: 'r2', requests: 260, abandoned: 40 },
    ]
    await watch.look(bad)
    await watch.look(bad)
    const judgement = await watch.look(bad)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toBe(
      'Clients gave up on 13% of requests to r2 before it answered (stable r1: 1%, limit 2%), 3 consecutive failures',
    )
  })

  it('takes a few clients that left for chance', async () => {
    const watch = new Watch()
    for (let i = 0; i < 5; i++)
      expect((await watch.look([stable, { releaseId: 'r2', requests: 100, abandoned: 5 }])).decision).toBe(
        'promote',
      )
  })

  it.each([0.1, 0.5, 0.9])(
    'rolls nothing back when a share of %s leaves both releases alike',
    async (share) => {
      const watch = new Watch()
      const shared = [
        { releaseId: 'r1', requests: 900 * (1 - share), abandoned: 900 * share },
        { releaseId: 'r2', requests: 200 * (1 - share), abandoned: 200 * share },
      ]
      for (let i = 0; i < 10; i++) expect((await watch.look(shared)).decision).not.toBe('rollback')
      expect((await watch.look(shared, over)).decision).not.toBe('rollback')
    },
  )

  it('never calls a release good that answered nothing, though the stable one did not either', async () => {
    const judgement = await new Watch().look(
      [
        { releaseId: 'r1', requests: 0, abandoned: 900 },
        { releaseId: 'r2', requests: 0, abandoned: 200 },
      ],
      over,
    )
    expect(judgement.decision).toBe('inconclusive')
  })

  it('counts abandoned requests as traffic', async () => {
    const judgement = await new Watch().look([stable, { releaseId: 'r2', requests: 30, abandoned: 8 }], over)
    expect(judgement.text).toBe('r2 had 38 requests; 100 are needed to judge it')
  })

  it('counts a request that the stable release answered instead as a failure of the candidate', async () => {
    const watch = new Watch()
    const bad = [stable, { releaseId: 'r2', requests: 480, diverted: 20 }]
    await watch.look(bad)
    await watch.look(bad)
    const judgement = await watch.look(bad)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('r2 fails 4% of requests (20 answered by r1, stable r1: 0%, limit 1%)')
  })
})
