import { describe, expect, it } from 'vitest'
import type { PlanOptions } from '../../../src/contract/index.ts'
import { deploymentView } from '../../../src/engine/deployments/index.ts'
import { must, release, World } from '../world/world.ts'
import { answered, asking, deploy, hasEnded, steered, step } from './asking.ts'

/** Judged as seldom as a plan is that nobody changed: every 30 s, after a warm-up of 30 s. */
const usual: PlanOptions = {
  steps: [step(10, 120), step(50, 120)],
  metricsEveryMs: 30_000,
  limits: { warmUpMs: 30_000, minSamples: 100, strikes: 3 },
}

const ended = async (world: World, options: PlanOptions = {}) => {
  await deploy(world, 'r2', { ...usual, ...options })
  await world.until(() => world.weight('r2') > 0)
  const startedAt = world.clock.monotonicMs()
  await world.until(() => world.newest.rollback !== null || hasEnded(world)() || world.newest.pause !== null)
  return (world.clock.monotonicMs() - startedAt) / 1000
}

describe('a candidate that loses its clients', () => {
  it.each([
    ['beside a stable release', {}],
    ['as a fix', { isFix: true }],
  ])('is rolled back within 15 s when it answers nothing, %s', async (_, options) => {
    const world = await steered(new World())
    world.behave('r2', { abandonedRatio: 1 })
    expect(await ended(world, options)).toBeLessThanOrEqual(15)
    expect(world.newest.rollback?.reason).toContain('Clients gave up on all')
    expect(world.newest.rollback?.reason).toContain('requests to r2 before it answered')
  })

  it('is promoted when impatient clients leave both releases alike', async () => {
    const world = await steered(new World())
    for (const id of ['r1', 'r2']) world.behave(id, { abandonedRatio: 0.7 })
    await ended(world)
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('is rolled back when it loses clearly more than the stable release', async () => {
    const world = await steered(new World())
    world.behave('r2', { abandonedRatio: 0.3 })
    await ended(world)
    expect(world.newest.rollback?.reason).toMatch(/Clients gave up on 30% of requests to r2 .*stable r1: 0%/)
  })
})

describe('a candidate that fails grossly', () => {
  it('is rolled back within 15 s of its first traffic, warm-up or not', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.2 })
    expect(await ended(world)).toBeLessThanOrEqual(15)
    expect(world.newest.rollback?.reason).toMatch(/r2 fails 2\d% of \d+ requests/)
  })

  it('is rolled back when the stable release answers in its place', async () => {
    const world = await steered(new World())
    world.behave('r2', { divertedRatio: 0.5 })
    expect(await ended(world)).toBeLessThanOrEqual(15)
    expect(world.newest.rollback?.reason).toContain('answered by r1')
  })
})

describe('a candidate whose instances die', () => {
  it('is never promoted when it exits every 4 s, and explains itself when it is gone', async () => {
    const world = await steered(new World())
    world.behave('r2', { exitsEveryS: 4, readyAfterS: 1 })
    await ended(world)
    await world.until(hasEnded(world))
    await world.advance(5)
    expect(world.newest.stage.kind).toBe('rolled_back')
    // Requests that the stable release answers in its place may tell it before the crashes do.
    expect(world.newest.rollback?.reason).toMatch(/^r2 (crashed \d+ times|fails \d+% of \d+ requests)/)
    expect(world.target.healthyCount('r2')).toBe(0)
    expect(world.newest.failure).toMatchObject({
      instances: [{ reason: 'exited with code 1' }, { reason: 'exited with code 1' }],
      lines: [{ text: 'Error: r2 cannot connect' }],
    })
    expect(world.unrest()).toEqual([])
  })

  it('explains itself too when it never had traffic, and though its target does not answer', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: null })
    world.faults.choose = (_, call) => (call === 'target.logs' ? { kind: 'refused' } : null)
    await deploy(world, 'r2', { ...usual, progressDeadlineMs: 20_000 })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('failed')
    expect(world.newest.failure?.lines).toEqual([])
    expect(new Set(world.newest.failure?.instances.map(({ reason }) => reason))).toEqual(
      new Set(['its health check failed: ECONNREFUSED']),
    )
  })
})

describe('a candidate whose instances die where nobody judges requests', () => {
  const crashing = { exitsEveryS: 4, readyAfterS: 1 }
  const unjudged = [step(10, 120, { analysis: false }), step(50, 120, { analysis: false })]
  it.each<[string, PlanOptions]>([
    ['with analysis skipped', { skipAnalysis: true }],
    ['in steps without analysis', { steps: unjudged }],
    ['in one short step without analysis', { steps: [step(100, 0, { analysis: false })] }],
    ['as a fix without analysis', { skipAnalysis: true, isFix: true }],
  ])('is never promoted when it exits every 4 s, %s', async (_, options) => {
    const world = await steered(new World())
    world.behave('r2', crashing)
    await ended(world, options)
    expect(world.newest.rollback?.reason).toMatch(/^r2 crashed \d+ times/)
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.record.stableReleaseId).toBe('r1')
    await world.advance(5)
    expect(world.unrest()).toEqual([])
  })

  it('is never promoted by a person either when it exits every 4 s', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { ...usual, instances: 3 })
    await world.until(() => world.weight('r2') > 0)
    world.behave('r2', { ...crashing, readyAfterS: 3 })
    await asking(world, 'promote')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.record.stableReleaseId).toBe('r1')
  })

  it('fails as the first release of a service, with its reason and its last log lines', async () => {
    const world = new World()
    world.behave('r1', crashing)
    const controller = world.start()
    must(await answered(world, controller.addRelease(release('r1'))))
    await deploy(world, 'r1')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('failed')
    expect(world.newest.rollback?.reason).toMatch(/^r1 crashed \d+ times.*: exited with code 1/)
    expect(world.newest.failure?.lines).toMatchObject([{ text: 'Error: r1 cannot connect' }])
    expect(world.store.services.get('shop')?.stableReleaseId ?? null).toBeNull()
    expect(world.weight('r1')).toBe(0)
  })

  it('fails as the first release though it exits too seldom to be counted out', async () => {
    const world = new World()
    world.behave('r1', { exitsEveryS: 9, readyAfterS: 1 })
    const controller = world.start()
    must(await answered(world, controller.addRelease(release('r1'))))
    await deploy(world, 'r1', { limits: { maxInstanceFailures: 100 }, progressDeadlineMs: 40_000 })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('failed')
    expect(world.newest.rollback?.reason).toBe('r1 did not stay healthy for 10 s within 40 s')
  })
})

describe('a deployment that pauses on a failure', () => {
  it('explains it while it waits, and explains the next one anew', async () => {
    const world = await steered(new World())
    world.behave('r2', { exitsEveryS: 4, readyAfterS: 1 })
    await ended(world, { onFailure: 'pause' })
    await world.until(() => world.newest.failure !== null)
    expect(world.newest.pause?.cause).toBe('failure')
    expect(world.newest.failure?.instances).toMatchObject([{ reason: 'exited with code 1' }, {}])
    expect(world.newest.failure?.lines).toHaveLength(1)
    const { revision } = world.newest
    await world.advance(20)
    expect(world.newest.revision).toBe(revision)
    await asking(world, 'resume')
    expect(world.newest.failure).toBeNull()
    await world.until(() => world.newest.failure !== null)
    expect(world.newest.pause?.cause).toBe('failure')
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    expect(world.newest.failure?.lines).toHaveLength(1)
  })

  it('can be promoted by a person all the same when the failure is over', async () => {
    const world = await steered(new World())
    world.behave('r2', { exitsEveryS: 4, readyAfterS: 1 })
    await ended(world, { onFailure: 'pause' })
    world.behave('r2', { exitsEveryS: null })
    await asking(world, 'promote')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })
})

describe('a step that had too few requests', () => {
  it('goes on with what it has counted when a person resumes it', async () => {
    const world = await steered(new World())
    world.router.requestsPerSecond = 20
    await deploy(world, 'r2', { ...usual, steps: [step(10, 45)], limits: { warmUpMs: 0, minSamples: 100 } })
    await world.until(() => world.newest.pause !== null)
    expect(world.newest.pause?.reason).toMatch(/r2 had \d\d requests; 100 are needed/)
    await asking(world, 'resume')
    await world.until(() => world.newest.pause !== null || hasEnded(world)())
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('is judged while it waits: its reason is the count and the verdict of now', async () => {
    const world = await steered(new World())
    world.router.requestsPerSecond = 20
    await deploy(world, 'r2', { ...usual, steps: [step(10, 45)], limits: { warmUpMs: 0, minSamples: 100 } })
    await world.until(() => world.newest.pause !== null)
    expect(deploymentView(world.newest).reason).toMatch(/^r2 had \d\d requests; 100 are needed/)
    await world.advance(120)
    expect(world.newest.pause?.cause).toBe('inconclusive')
    const { reason } = deploymentView(world.newest)
    expect(reason).toMatch(/^r2 stays within every limit over \d+ requests: resume to continue$/)
    expect(Number(/over (\d+) requests/.exec(reason)?.[1])).toBeGreaterThan(200)
  })
})
