import { describe, expect, it } from 'vitest'
import { Watch } from './made-bins.ts'

const stable = { releaseId: 'r1', requests: 900 }
const fine = { releaseId: 'r2', requests: 500 }
const exited = { instanceTrouble: 'exited with code 1' }

describe('the threshold judge on instances that fail', () => {
  it('rolls back a candidate that keeps crashing though its requests succeed, and says why', async () => {
    const watch = new Watch({ limits: { warmUpMs: 600_000 } })
    await watch.look([stable, { ...fine, crashes: 2 }], exited)
    const judgement = await watch.look([stable, { ...fine, crashes: 3 }], exited)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toBe('r2 crashed 5 times in 30 s: exited with code 1')
  })

  it('warns of a single restart in a long deployment', async () => {
    const watch = new Watch()
    await watch.look([stable, { ...fine, crashes: 1 }], exited)
    for (let i = 0; i < 20; i++) {
      const judgement = await watch.look([stable, fine], exited)
      expect(judgement.decision).toBe('promote')
      expect(judgement.findings.find(({ metric }) => metric === 'instances')).toMatchObject({
        verdict: 'unclear',
        candidate: 1,
        limit: 2,
      })
    }
  })

  it('counts a crash once that failed the health check and was ejected as well', async () => {
    const both = { ...fine, crashes: 2, healthFailures: 2, ejections: 1 }
    expect((await new Watch().look([stable, both])).decision).toBe('promote')
  })

  it.each([
    [{ crashes: 3, oomKills: 3 }, 'r2 ran out of memory 3 times'],
    [{ crashes: 4, oomKills: 1 }, 'r2 crashed 4 times, 1 of them out of memory'],
    [{ healthFailures: 3 }, 'r2 failed its health check 3 times'],
    [{ ejections: 3 }, 'r2 was ejected 3 times because its requests failed'],
  ])('says what failed: %o', async (failed, text) => {
    const judgement = await new Watch().look([stable, { ...fine, ...failed }])
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain(text)
  })

  it('tolerates as many as the plan says', async () => {
    const watch = new Watch({ limits: { maxInstanceFailures: 0 } })
    expect((await watch.look([stable, { ...fine, crashes: 1 }])).decision).toBe('rollback')
  })

  it('does not blame the candidate for what kills instances of the stable release as well', async () => {
    const judgement = await new Watch().look([
      { ...stable, crashes: 4 },
      { ...fine, crashes: 4 },
    ])
    expect(judgement.decision).toBe('promote')
  })

  it('gives a release that a person has let go on its failures anew', async () => {
    const watch = new Watch()
    await watch.look([stable, { ...fine, crashes: 3 }])
    watch.hold += 1
    expect((await watch.look([stable, fine])).decision).toBe('promote')
  })
})

describe('a step with too few requests', () => {
  it('counts on when it is looked at again, and begins anew with the next step', async () => {
    const watch = new Watch()
    const few = [stable, { releaseId: 'r2', requests: 60 }]
    expect((await watch.look(few, { isHoldOver: true })).decision).toBe('inconclusive')
    watch.hold += 1
    expect((await watch.look(few)).decision).toBe('promote')
    const other = new Watch()
    await other.look(few, { isHoldOver: true })
    other.hold += 1
    expect((await other.look(few, { step: 1 })).decision).toBe('continue')
  })
})
