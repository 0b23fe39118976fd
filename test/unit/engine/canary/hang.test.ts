import { describe, expect, it } from 'vitest'
import type { Bin } from '../../../../src/contract/index.ts'
import { bin, Watch, type Made } from './made-bins.ts'

type MadeBin = Made & Partial<Bin>

/** A release that answers at once. */
const quick: MadeBin = { releaseId: 'r1', requests: 900, begun: 900, ...waiting() }
/** What a release has in progress. */
function waiting(more: Partial<Bin> = {}): Partial<Bin> {
  const gauges = { inFlight: 0, oldestInFlightMs: 0, longInFlight: 0, unanswered: 0, oldestUnansweredMs: 0 }
  return { ...gauges, stalled: 0, ...more }
}

/** Requests without a response. */
const unanswered = (count: number, oldestMs: number) =>
  waiting({
    inFlight: count + 5,
    oldestInFlightMs: oldestMs,
    longInFlight: count,
    unanswered: count,
    oldestUnansweredMs: oldestMs,
  })

/** Streams that have begun and go on. */
const streams = (count: number, more: Partial<Bin> = {}) =>
  waiting({ inFlight: count, oldestInFlightMs: 14_000, longInFlight: Math.ceil(count / 3), ...more })

const early = { isEarly: true }
const over = { isHoldOver: true }

describe('the threshold judge on a candidate whose requests get no response', () => {
  const silent: MadeBin = { releaseId: 'r2', requests: 0, ...unanswered(12, 14_000) }

  it.each([
    ['beside a stable release that answers', {}, quick],
    ['without a stable release', { stableReleaseId: null }, { ...quick, releaseId: 'r0' }],
    ['as a fix', { isFix: true }, quick],
    [
      'as a fix of a stable release that answers nothing either',
      { isFix: true },
      { releaseId: 'r1', requests: 0, ...unanswered(90, 60_000) },
    ],
    [
      'beside a stable release that is slow',
      {},
      { ...quick, ...waiting({ inFlight: 400, oldestInFlightMs: 9000 }) },
    ],
    [
      'beside a stable release of which one request in a hundred waits for long',
      {},
      { ...quick, begunLate: 9, ...unanswered(2, 15_000) },
    ],
  ] as [string, object, MadeBin][])('rolls back during the warm-up, %s', async (_, context, stable) => {
    const watch = new Watch({ ...context, limits: { warmUpMs: 600_000 } })
    const judgement = await watch.look([stable, silent], early)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain(
      'r2 hangs: no response to 12 requests for 10 s or more (longest wait 14 s',
    )
    expect(judgement.findings).toMatchObject([{ metric: 'traffic', candidate: 12, verdict: 'worse' }])
  })

  it('names the share of the stable release', async () => {
    const stable = { ...quick, begunLate: 9, ...unanswered(2, 15_000) }
    expect((await new Watch().look([stable, silent])).text).toBe(
      'r2 hangs: no response to 12 requests for 10 s or more (longest wait 14 s, stable r1: 1.2%)',
    )
  })

  it('does not take one long request for a release that hangs, where the stable release has such requests', async () => {
    const stable = { ...quick, begunLate: 9 }
    const judgement = await new Watch().look([
      stable,
      { releaseId: 'r2', requests: 0, ...unanswered(1, 14_000) },
    ])
    expect(judgement.decision).toBe('continue')
  })

  it('rolls back when most requests get no response though event streams go on', async () => {
    const judgement = await new Watch().look([
      quick,
      {
        releaseId: 'r2',
        requests: 0,
        begun: 5,
        ...unanswered(60, 14_000),
        inFlight: 80,
        longInFlight: 65,
      },
    ])
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('no response to 60 of 70 requests')
  })

  it('leaves a candidate alone that has a few such requests beside many that end', async () => {
    const judgement = await new Watch().look([
      quick,
      { releaseId: 'r2', requests: 500, begun: 500, ...unanswered(5, 25_000) },
    ])
    expect(judgement.decision).toBe('promote')
  })
})

describe('the threshold judge on responses that take long', () => {
  /** 25 s each, at both releases. */
  const polls: MadeBin = {
    releaseId: 'r1',
    requests: 30,
    begun: 30,
    begunLate: 30,
    ...unanswered(70, 25_000),
  }

  it('lets long polls wait as long as those to the stable release', async () => {
    const watch = new Watch({ limits: { minSamples: 20 } })
    const waits = { releaseId: 'r2', requests: 0, ...unanswered(40, 24_000) }
    for (let i = 0; i < 4; i++) expect((await watch.look([polls, waits], early)).decision).toBe('continue')
  })

  it('rolls back when long polls wait twice as long as those to the stable release', async () => {
    const hanging = { releaseId: 'r2', requests: 0, ...unanswered(90, 51_000) }
    const judgement = await new Watch().look([polls, hanging])
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('longest wait 51 s, stable r1: 100%')
  })

  it('is inconclusive, and says what it waits for, when both releases hang at the same time', async () => {
    const watch = new Watch()
    const both = [
      { releaseId: 'r1', requests: 0, ...unanswered(300, 14_000) },
      { releaseId: 'r2', requests: 0, ...unanswered(40, 14_000) },
    ]
    expect((await watch.look(both, early)).decision).toBe('continue')
    const judgement = await watch.look(both, over)
    expect(judgement.decision).toBe('inconclusive')
    expect(judgement.text).toBe(
      'r2 finished 0 requests and has 45 in progress, 40 without a response for 10 s or more; 100 are needed to judge it. Use a longer hold if responses outlast the step',
    )
  })

  it('compares with what the stable release does while the candidate waits, not with what it did before', async () => {
    const before = bin({ ...quick, requests: 900 }, 0)
    const now = bin({ releaseId: 'r1', requests: 0, ...unanswered(300, 14_000) }, 29_000)
    const hanging = bin({ releaseId: 'r2', requests: 0, ...unanswered(12, 14_000) }, 29_000)
    expect((await new Watch().look([before, now, hanging])).decision).toBe('continue')
  })

  it('goes on while streams flow, and counts them as answered so far', async () => {
    const watch = new Watch()
    const candidate = { releaseId: 'r2', requests: 0, begun: 60, ...streams(60) }
    const first = await watch.look([quick, candidate])
    expect(first).toMatchObject({
      decision: 'continue',
      text: 'r2 has 60 requests in progress; none has finished yet',
    })
    expect(first.findings).toContainEqual(expect.objectContaining({ metric: 'errors', candidate: 0 }))
    const judgement = await watch.look([quick, { ...candidate, ...streams(120) }], over)
    expect(judgement.decision).toBe('promote')
    expect(judgement.text).toBe('r2 stays within every limit over 120 requests, 120 of them in progress')
  })

  it('does not promote on streams that have stopped', async () => {
    const watch = new Watch({ stableReleaseId: null })
    const stopped = { releaseId: 'r2', requests: 0, begun: 120, ...streams(120, { stalled: 40 }) }
    expect((await watch.look([stopped], over)).decision).toBe('inconclusive')
  })

  it('says that a longer hold is needed where streams outlast the step and are few', async () => {
    const judgement = await new Watch().look(
      [quick, { releaseId: 'r2', requests: 4, begun: 16, ...streams(12) }],
      over,
    )
    expect(judgement.decision).toBe('inconclusive')
    expect(judgement.text).toBe(
      'r2 finished 4 requests and has 12 in progress; 100 are needed to judge it. Use a longer hold if responses outlast the step',
    )
  })

  it('does not take the failures that end early for all there is while the streams go on', async () => {
    const watch = new Watch()
    const look = [
      { ...quick, errors: 9 },
      { releaseId: 'r2', requests: 12, errors: 12, begun: 1200, ...streams(1200) },
    ]
    expect((await watch.look(look)).decision).toBe('continue')
    expect((await watch.look(look, over)).decision).toBe('promote')
  })

  it('does not take the clients that left early for all there are while the streams go on', async () => {
    const stable = { ...quick, abandoned: 10 }
    const look = [stable, { releaseId: 'r2', requests: 0, abandoned: 20, begun: 1200, ...streams(1200) }]
    expect((await new Watch().look(look)).decision).toBe('continue')
  })
})

describe('the threshold judge on responses that stop midway', () => {
  const stopped: MadeBin = {
    releaseId: 'r2',
    requests: 0,
    begun: 30,
    ...streams(30, { longInFlight: 8, stalled: 8 }),
  }

  it.each([
    ['go on', { ...quick, ...streams(300) }],
    ['end soon', quick],
  ])('rolls back when those of the stable release %s', async (_, stable) => {
    const judgement = await new Watch().look([stable, stopped], early)
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toBe(
      'r2 hangs: nothing more came of the responses to 8 requests for 10 s or more (stable r1: 0%)',
    )
  })

  it('leaves event streams alone that are as quiet at the stable release', async () => {
    const stable: MadeBin = {
      releaseId: 'r1',
      requests: 0,
      ...streams(300, { longInFlight: 280, stalled: 280 }),
    }
    expect((await new Watch().look([stable, stopped], early)).decision).toBe('continue')
  })

  it('remembers that streams of the stable release are quiet between two heartbeats', async () => {
    const watch = new Watch()
    const quiet: MadeBin = {
      releaseId: 'r1',
      requests: 0,
      ...streams(300, { longInFlight: 280, stalled: 280 }),
    }
    await watch.look([quiet, { ...stopped, stalled: 0 }])
    const heard = { ...quiet, stalled: 0 }
    expect((await watch.look([heard, stopped])).decision).toBe('continue')
  })

  it('tells nothing of quiet streams without a stable release to compare with', async () => {
    expect((await new Watch({ stableReleaseId: null }).look([stopped], early)).decision).toBe('continue')
  })
})

describe('the threshold judge with an edge that does not tell which responses have begun', () => {
  const silent: MadeBin = { releaseId: 'r2', requests: 0, inFlight: 12, oldestInFlightMs: 13_000 }

  it.each([
    ['the stable release has younger ones only', {}, 9000],
    ['the candidate is a fix', { isFix: true }, 60_000],
  ])(
    'rolls back when requests are in progress and none ends, and %s',
    async (_, context, oldestInFlightMs) => {
      const stable: MadeBin = { releaseId: 'r1', requests: 900, inFlight: 9, oldestInFlightMs }
      expect((await new Watch(context).look([stable, silent])).decision).toBe('rollback')
    },
  )

  it('waits while requests to the stable release are as old', async () => {
    const stable: MadeBin = { releaseId: 'r1', requests: 9, inFlight: 99, oldestInFlightMs: 15_000 }
    expect((await new Watch().look([stable, silent])).decision).toBe('continue')
  })
})
