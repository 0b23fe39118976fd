import { describe, expect, it } from 'vitest'
import { AppError, fail } from '../../../src/base/index.ts'
import { type Hook, type PlanOptions } from '../../../src/contract/index.ts'
import { thresholdJudge } from '../../../src/engine/canary/index.ts'
import { must, World } from '../world/world.ts'
import { answered, asking, atStep, deploy, deploying, engineOf, hasEnded, steered, step } from './asking.ts'
import { person } from '../../support/person.ts'

const longHook: Hook = {
  name: 'report',
  when: 'after',
  phase: 'stepping',
  run: { kind: 'script', argv: ['report'] },
  timeoutMs: 1000,
  onFailure: 'pause',
}

describe('a judged deployment', () => {
  it('promotes a good release, and leaves nothing of the old one', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
    expect(world.record.stableReleaseId).toBe('r2')
  })

  it('leaves the stable release with everything when a bad one follows, and names metric and figures (1)', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.1 })
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    await world.advance(3)
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.newest.rollback?.reason).toMatch(
      /r2 fails 10% of requests \(stable r1: 0(\.\d)?%, limit 1%\)/,
    )
    expect(world.unrest()).toEqual([])
    expect(world.record.stableReleaseId).toBe('r1')
  })

  it('begins a good release with clean counters after, or while, a bad one is rolled back (2)', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.1 })
    await deploy(world, 'r2')
    await world.until(() => world.newest.rollback !== null)
    await deploy(world, 'r3')
    await world.until(hasEnded(world))
    expect(world.newest).toMatchObject({ candidateReleaseId: 'r3', stage: { kind: 'promoted' } })
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('rolls back one bad release after another (3)', async () => {
    const world = await steered(new World())
    for (const id of ['r2', 'r3']) {
      world.behave(id, { errorRatio: 0.2 })
      await deploy(world, id)
      await world.until(hasEnded(world))
      expect(world.newest).toMatchObject({ candidateReleaseId: id, stage: { kind: 'rolled_back' } })
    }
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('sends the old candidate nothing more before a newer release begins in mid-canary (5)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    await deploy(world, 'r3')
    await world.until(() => world.weight('r3') > 0)
    expect(world.weight('r2')).toBe(0)
    expect(world.target.healthyCount('r2')).toBe(0)
    expect(world.newest).toMatchObject({ candidateReleaseId: 'r3', judgement: null })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('changes release and number of copies at once, both ways (6)', async () => {
    const world = await steered(new World(), 3)
    await deploy(world, 'r2', { instances: 1 })
    await world.until(hasEnded(world))
    expect(world.target.report().wanted).toEqual({ r2: 1 })
    world.behave('r3', { errorRatio: 0.2 })
    await deploy(world, 'r3', { instances: 4 })
    await world.until(hasEnded(world))
    await world.advance(3)
    expect(world.target.report().wanted).toEqual({ r2: 1 })
    expect(world.unrest()).toEqual([])
  })

  it('starts no more copies at a time than the plan allows', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: 4 })
    await deploy(world, 'r2', { instances: 4, startAtOnce: 1 })
    let most = 0
    await world.until(() => {
      const starting = world.target
        .report()
        .instances.filter(({ releaseId, state }) => releaseId === 'r2' && state === 'starting').length
      most = Math.max(most, starting)
      return atStep(world, 0)
    })
    expect(most).toBe(1)
    expect(world.target.healthyCount('r2')).toBe(4)
  })

  it('pauses when it cannot tell, is never promoted by itself, and goes on once a person says so (13)', async () => {
    const world = await steered(new World())
    world.router.requestsPerSecond = 2
    await deploy(world, 'r2')
    await world.until(() => world.newest.pause !== null)
    expect(world.newest.pause).toMatchObject({ cause: 'inconclusive' })
    expect(world.newest.pause?.reason).toMatch(/r2 had \d+ requests; 20 are needed/)
    await world.advance(2000)
    expect(world.newest.pause).not.toBeNull()
    expect(world.weight('r2')).toBe(10)
    await asking(world, 'promote')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    const log = world.newest.log.filter(({ text }) => text.includes('is the stable release now'))
    expect(log).toHaveLength(1)
  })

  it.each([
    ['rollback', 'rolled_back'],
    ['promote', 'promoted'],
  ] as const)('follows the policy %s when it cannot tell', async (onInconclusive, ending) => {
    const world = await steered(new World())
    world.router.requestsPerSecond = 2
    await deploy(world, 'r2', { onInconclusive })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe(ending)
  })

  it('takes four answers without data for nothing, and the fifth for the policy (14)', async () => {
    const world = await steered(new World())
    const failing = async (times: number) => {
      let count = 0
      // The first two calls are for the baseline: what is kept, and that there is no more.
      world.faults.choose = (_, call) =>
        call === 'router.bins' && ++count > 2 && count <= times + 2 ? { kind: 'refused' } : null
      await deploy(world, 'r2', {
        steps: [step(10, 40)],
        limits: { onNoData: 'rollback', minSamples: 20, warmUpMs: 0 },
      })
      await world.until(hasEnded(world))
      return world.newest
    }
    expect((await failing(4)).stage.kind).toBe('promoted')
    const other = await steered(new World())
    let count = 0
    other.faults.choose = (_, call) => (call === 'router.bins' && ++count > 2 ? { kind: 'refused' } : null)
    await deploy(other, 'r2', {
      steps: [step(10, 40)],
      limits: { onNoData: 'rollback', minSamples: 20, warmUpMs: 0 },
    })
    await other.until(hasEnded(other))
    expect(other.newest.rollback?.reason).toContain('No data to judge')
  })

  it('neither passes nor fails a release that gets no traffic, and says so (15)', async () => {
    const world = await steered(new World())
    world.router.unreachable.add('r2')
    await deploy(world, 'r2')
    await world.until(() => world.newest.pause !== null)
    expect(world.newest.pause?.cause).toBe('inconclusive')
    expect(world.newest.pause?.reason).toContain('r2 had no requests at a weight of 10%')
  })

  it('refuses a plan that cannot work before anything happens (16)', async () => {
    const world = await steered(new World())
    const refused = await answered(
      world,
      deploying(engineOf(world), 'r2', { steps: [step(50), step(10)], maxTimeMs: 1000 }),
    )
    expect(refused).toMatchObject({ ok: false, error: { code: 'BAD_INPUT' } })
    expect(world.store.deployments.size).toBe(0)
  })

  it('rolls back although it is paused, when failures mount meanwhile (17)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(10, 60)] })
    await world.until(() => atStep(world, 0))
    await asking(world, 'pause')
    world.behave('r2', { errorRatio: 0.3 })
    await world.until(hasEnded(world), 60)
    expect(world.newest.stage.kind).toBe('rolled_back')
  })

  const waits: [what: string, options: PlanOptions, prepare: (world: World) => void][] = [
    ['for a person at a gate', { steps: [step(10), step(50, 10, { gate: true })] }, () => undefined],
    [
      'for a hook',
      { steps: [step(10), step(50)], hooks: [{ ...longHook, timeoutMs: 3_600_000 }] },
      (world) => (world.hooksTakeMs = 3_600_000),
    ],
    [
      'for room before it takes over',
      { steps: [step(10)], resources: { maxCpuRatio: 0.8 }, progressDeadlineMs: 3_600_000 },
      (world) => (world.missingRoom = 'cpu of web-1 is 90% full'),
    ],
    [
      'for the router to give it everything',
      { steps: [step(10)], progressDeadlineMs: 3_600_000 },
      (world) =>
        (world.faults.choose = (_, call) =>
          call.startsWith('router.set {"r2":100}') ? { kind: 'refused' } : null),
    ],
  ]
  it.each(waits)('is judged on while it waits %s (17)', async (_, options, prepare) => {
    const world = await steered(new World())
    await deploy(world, 'r2', { ...options, maxTimeMs: 7_200_000 })
    await world.until(() => atStep(world, 0))
    prepare(world)
    await world.until(() => world.newest.stage.kind !== 'holding' || world.newest.pause !== null)
    await world.advance(30)
    expect(world.weight('r2')).toBe(10)
    world.behave('r2', { errorRatio: 0.1 })
    await world.until(hasEnded(world), 60)
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.newest.rollback?.reason).toContain('limit 1%')
  })

  it('is held to the limit that was set for it, also to a wider one than the usual', async () => {
    const world = await steered(new World())
    for (const id of ['r1', 'r2']) world.behave(id, { errorRatio: 0.03 })
    const limits = {
      warmUpMs: 0,
      minSamples: 20,
      strikes: 2,
      maxErrorRatio: 0.1,
      maxErrorRatioToStable: 1000,
    }
    await deploy(world, 'r2', { limits })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('is judged on while nothing is heard of where its instances run', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.05 })
    await deploy(world, 'r2', {
      steps: [step(10, 60)],
      limits: { warmUpMs: 10_000, minSamples: 20, strikes: 2 },
    })
    await world.until(() => atStep(world, 0))
    world.faults.choose = (part) => (part === 'target' ? { kind: 'slow', byMs: 3_600_000 } : null)
    await world.until(() => world.weight('r2') === 0, 120)
    expect(world.newest.rollback?.reason).toContain('limit 1%')
  })

  it.each([
    ['the router was dead when it began', true],
    ['the router has more counts than it gives at once', false],
  ])('is not judged on what the same release did before, though %s', async (_, isDead) => {
    const world = new World()
    world.router.pageSize = 20
    await steered(world)
    world.behave('r2', { errorRatio: 0.3 })
    const id = await deploy(world, 'r2')
    await world.until(hasEnded(world))
    world.behave('r2', { errorRatio: 0 })
    world.faults.choose = (_part, call) => (isDead && call === 'router.bins' ? { kind: 'refused' } : null)
    const asked = {
      by: person('ben'),
      why: 'the database was full',
      expectedRevision: null,
      supersedes: null,
    }
    must(await answered(world, engineOf(world).retry(id, asked)))
    await world.advance(10)
    expect(world.newest.stage.kind === 'validating').toBe(isDead)
    world.faults.choose = () => null
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('does not count failures of the judge of an earlier deployment against a new one', async () => {
    const world = await steered(new World())
    let failures = 4
    world.judge = {
      name: 'shaky',
      version: 1,
      evaluate: (request) =>
        failures-- > 0
          ? Promise.resolve(fail(new AppError('UNAVAILABLE', 'The judge is away')))
          : thresholdJudge.evaluate(request),
    }
    await deploy(world, 'r2', { steps: [step(10, 60)] })
    await world.until(() => failures === 0)
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    failures = 1
    await deploy(world, 'r3', { steps: [step(10, 60)] })
    await world.until(() => world.newest.pause !== null || hasEnded(world)())
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('waits at a gate until a person opens it, at the weight of before', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(10), step(50, 10, { gate: true })] })
    await world.until(() => world.newest.pause?.cause === 'gate')
    await world.advance(100)
    expect(world.weight('r2')).toBe(10)
    await asking(world, 'resume')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it.each([
    ['responses that end soon', 0, false, 16],
    ['streams of 15 s', 15, false, 16],
    ['streams of 15 s, seen by an earlier edge', 15, true, 21],
  ])('rolls back a candidate that answers nothing beside %s', async (_, streamsForS, isEarlier, withinS) => {
    const world = new World()
    world.router.isEarlier = isEarlier
    world.behave('r1', { streamsForS })
    await steered(world)
    await world.advance(30)
    world.behave('r2', { hangs: true })
    await deploy(world, 'r2', { steps: [step(10, 60)] })
    await world.until(() => world.weight('r2') > 0)
    await world.until(() => world.weight('r2') === 0, withinS)
    await world.until(hasEnded(world))
    expect(world.newest.rollback?.reason).toContain('r2 hangs')
    expect(world.unrest()).toEqual([])
  })

  it.each([
    ['15 s', 15, 30, false],
    ['15 s, seen by an earlier edge', 15, 30, true],
    ['60 s, longer than its steps', 60, 30, false],
  ])('promotes a release whose responses are streams of %s', async (_, streamsForS, holdS, isEarlier) => {
    const world = new World()
    world.router.isEarlier = isEarlier
    for (const id of ['r1', 'r2']) world.behave(id, { streamsForS })
    await steered(world)
    await world.advance(80)
    await deploy(world, 'r2', { steps: [step(10, holdS), step(50, holdS)] })
    await world.until(() => world.newest.pause !== null || hasEnded(world)())
    expect(world.newest).toMatchObject({ stage: { kind: 'promoted' }, pause: null })
  })

  it('pauses, and asks for a longer hold, where few streams outlast the step', async () => {
    const world = new World()
    for (const id of ['r1', 'r2']) world.behave(id, { streamsForS: 60 })
    world.router.requestsPerSecond = 10
    await steered(world)
    await world.advance(80)
    await deploy(world, 'r2', { steps: [step(10, 15)] })
    await world.until(() => world.newest.pause !== null || hasEnded(world)())
    expect(world.newest.pause?.cause).toBe('inconclusive')
    expect(world.newest.pause?.reason).toMatch(
      /r2 finished 0 requests and has 1\d in progress; 20 are needed to judge it\. Use a longer hold/,
    )
  })

  it('neither rolls back nor promotes a candidate that hangs together with the stable release', async () => {
    const world = await steered(new World())
    for (const id of ['r1', 'r2']) world.behave(id, { hangs: true })
    await deploy(world, 'r2', { steps: [step(10, 40)] })
    await world.until(() => world.newest.pause !== null || hasEnded(world)())
    expect(world.newest.pause?.cause).toBe('inconclusive')
    expect(world.newest.pause?.reason).toContain('without a response for 10 s or more')
  })

  it('pauses instead of rolling back where the plan says so, and rolls back when asked', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.3 })
    await deploy(world, 'r2', { onFailure: 'pause', steps: [step(10, 60)] })
    await world.until(() => world.newest.pause !== null)
    expect(world.newest.pause?.cause).toBe('failure')
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('rolled_back')
  })

  it('goes on after a pause for a failure that is over: what was judged before has had its say', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.3 })
    const limits = {
      warmUpMs: 0,
      minSamples: 20,
      strikes: 2,
      maxErrorRatio: 0.1,
      maxErrorRatioToStable: 1000,
    }
    await deploy(world, 'r2', { onFailure: 'pause', steps: [step(10, 60)], maxTimeMs: 600_000, limits })
    await world.until(() => world.newest.pause !== null)
    world.behave('r2', { errorRatio: 0.001 })
    await asking(world, 'resume')
    await world.until(() => world.newest.pause !== null || hasEnded(world)())
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('can be skipped past a failure by a person: only what comes after counts', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.3 })
    await deploy(world, 'r2', { onFailure: 'pause', steps: [step(10, 60), step(50, 60)], maxTimeMs: 600_000 })
    await world.until(() => world.newest.pause?.cause === 'failure')
    world.behave('r2', { errorRatio: 0 })
    await asking(world, 'skip')
    await world.until(() => world.newest.pause !== null || hasEnded(world)())
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('keeps the evidence that it judged on', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    const bins = world.store.bins.get(world.newest.id) ?? []
    const candidate = bins.filter(({ releaseId }) => releaseId === 'r2')
    expect(candidate.reduce((sum, { requests }) => sum + requests, 0)).toBeGreaterThan(500)
    expect(new Set(bins.map(({ atMs }) => Math.floor(atMs / 10_000))).size).toBeGreaterThan(1)
  })
})
