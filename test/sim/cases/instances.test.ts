import { describe, expect, it } from 'vitest'
import { skippedText, type PlanOptions } from '../../../src/contract/index.ts'
import type { DeploymentController } from '../../../src/engine/deployments/index.ts'
import { must, release, serviceName, World } from '../world/world.ts'
import {
  answered,
  asking,
  atStep,
  deploy,
  deploying,
  engineOf,
  hasEnded,
  quick,
  steered,
  step,
} from './asking.ts'
import { person } from '../../support/person.ts'

describe('a platform that starts together with the engine', () => {
  it('is no trouble before it had time to answer, and trouble when it does not come', async () => {
    const world = await new World().withStable()
    world.faults.choose = (part) => (part === 'router' || part === 'target' ? { kind: 'refused' } : null)
    world.start()
    await world.advance(5)
    expect(engineOf(world).views[0]?.trouble).toBe('')
    await world.advance(10)
    expect(engineOf(world).views[0]?.trouble).not.toBe('')
    world.faults.choose = () => null
    await world.advance(3)
    expect(engineOf(world).views[0]?.trouble).toBe('')
    world.faults.choose = (part) => (part === 'router' ? { kind: 'refused' } : null)
    await world.advance(2)
    expect(engineOf(world).views[0]?.trouble, 'after it has answered, silence counts at once').not.toBe('')
  })
})

describe('a release', () => {
  it('may have any name that is allowed, such as a number or that of a member of every object', async () => {
    const names = ['constructor', '10', '9', 'toString', 'r2']
    const world = new World()
    await world.withStable(2, names)
    world.start()
    await world.advance(2)
    for (const name of names) {
      await deploy(world, name, { keepStableWarmMs: 2000 })
      await world.until(() => atStep(world, 0))
      expect(world.weight(name), name).toBe(10)
      await world.until(hasEnded(world))
      await world.advance(3)
      expect(world.record.stableReleaseId, name).toBe(name)
      expect(world.unrest(), name).toEqual([])
    }
    world.behave('constructor', { errorRatio: 1 })
    await deploy(world, 'constructor')
    await world.until(hasEnded(world))
    await world.advance(3)
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.unrest()).toEqual([])
  })
})

describe('instances in a deployment', () => {
  it('keep the stable release serving when the candidate never becomes healthy (21)', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: null })
    await deploy(world, 'r2', { progressDeadlineMs: 15_000 })
    await world.until(hasEnded(world), 60)
    expect(world.newest.stage.kind).toBe('failed')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('of a slow start are waited for', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: 50 })
    await deploy(world, 'r2', { progressDeadlineMs: 60_000, maxTimeMs: 300_000 })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('that all die at a step end it at once', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(10, 120)], maxTimeMs: 300_000 })
    await world.until(() => atStep(world, 0))
    world.behave('r2', { diesAfterS: 0 })
    await world.until(() => world.weight('r2') === 0, 12)
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.unrest()).toEqual([])
  })

  it('that were all deleted during an abort do not keep it from its end (12)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    world.faults.choose = (_, call) => (call.startsWith('router.set') ? { kind: 'slow', byMs: 2000 } : null)
    await asking(world, 'abort')
    await world.until(() => world.newest.stage.kind === 'returning')
    world.target.remove({ service: serviceName, releaseId: 'r2', key: 'by hand' })
    // It still has traffic: that is what the hand has done, not the engine.
    world.broken.length = 0
    await world.until(hasEnded(world), 30)
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('of a stable release that has died do not get the traffic back before they are healthy (11)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(50, 120)], maxTimeMs: 300_000 })
    await world.until(() => atStep(world, 0))
    world.behave('r1', { readyAfterS: 10 })
    world.target.crash('r1')
    await asking(world, 'abort')
    await world.advance(5)
    expect(world.weight('r2')).toBe(50)
    expect(engineOf(world).views[0]?.trouble).toContain('r1 has no healthy instance')
    await world.until(() => world.weight('r1') === 100, 30)
    await world.until(hasEnded(world))
    expect(world.unrest()).toEqual([])
  })

  it('that break during the promotion leave the traffic on the healthy copy (18)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => world.newest.stage.kind === 'warm')
    world.behave('r2', { diesAfterS: 0 })
    await world.until(() => world.weight('r1') === 100, 15)
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.record.stableReleaseId).toBe('r1')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('that keep crashing after the promotion bring the old release back while it is warm', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { keepStableWarmMs: 120_000, maxTimeMs: 600_000 })
    await world.until(() => world.newest.stage.kind === 'warm')
    world.behave('r2', { exitsEveryS: 20, readyAfterS: 1 })
    await world.until(hasEnded(world), 100)
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.newest.rollback?.reason).toMatch(/^r2 crashed \d times.*exited with code 1/)
    expect(world.record.stableReleaseId).toBe('r1')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('that answered nothing while they started are no reason of a later failure', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(50, 60)], maxTimeMs: 300_000 })
    await world.until(() => atStep(world, 0))
    world.behave('r2', { errorRatio: 1 })
    await world.until(hasEnded(world))
    expect(world.newest.rollback?.reason).toContain('r2 fails 100%')
    expect(world.newest.failure?.instances).toEqual([])
  })

  it('of a fix can be rolled out while the stable release is broken (19)', async () => {
    const world = await steered(new World())
    world.behave('r1', { errorRatio: 0.6, latencySlot: 30 })
    await world.advance(30)
    await deploy(world, 'r2', { isFix: true })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('of a deployment without analysis are waited for all the same (20)', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: null, errorRatio: 1 })
    await deploy(world, 'r2', { skipAnalysis: true, progressDeadlineMs: 15_000 })
    await world.advance(14)
    expect(world.weight('r2')).toBe(0)
    await world.until(hasEnded(world), 60)
    expect(world.newest.stage.kind).toBe('failed')
  })

  it('of the first release of a service get everything when they are healthy, without steps', async () => {
    const world = new World()
    const controller = world.start()
    must(
      await answered(
        world,
        controller.addRelease({
          service: serviceName,
          id: 'r1',
          artifact: { kind: 'command', argv: ['serve'], env: {} },
          parameters: {},
          note: '',
          createdAtMs: 0,
          createdBy: person('anna'),
        }),
      ),
    )
    await deploy(world, 'r1')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it.each([
    ['by the deployment itself', () => deploying],
    ['by the configuration', () => deployingAsConfigured],
  ])('of a first release skip the steps that are asked for %s, and the plan says so', async (_, way) => {
    const world = new World()
    const controller = world.start()
    must(await answered(world, controller.addRelease(release('r1'))))
    const options = { steps: [step(5, 60), step(50, 60)], maxTimeMs: 600_000 }
    const planned = must(await answered(world, controller.plan(serviceName, [quick, options])))
    expect(skippedText(planned)).toMatch(
      /^The 2 steps \(5%, 50%\) are skipped: there is no stable release to compare/,
    )
    must(await answered(world, way()(controller, 'r1', options)))
    const seen = new Set<number>()
    await world.until(() => {
      seen.add(world.weight('r1'))
      return world.newest.endedAtMs !== null
    })
    expect([...seen]).toEqual([0, 100])
    expect(world.newest).toMatchObject({ stage: { kind: 'promoted' }, plan: planned })
    expect(world.newest.log.map(({ text }) => text).join('\n')).toContain('2 steps (5%, 50%) are skipped')
  })

  it('of a first release that is retried beside a stable one go through the steps that were skipped', async () => {
    const world = new World()
    const controller = world.start()
    for (const id of ['r1', 'r2']) must(await answered(world, controller.addRelease(release(id))))
    world.behave('r2', { readyAfterS: null })
    const failed = await deploy(world, 'r2', { progressDeadlineMs: 15_000 })
    await world.until(hasEnded(world))
    expect(world.newest.plan.skipped).toBeDefined()
    await deploy(world, 'r1', { keepStableWarmMs: 0 })
    await world.until(hasEnded(world))
    expect(world.record.stableReleaseId).toBe('r1')
    world.behave('r2', { readyAfterS: 2 })
    const again = { by: person('ben'), why: 'mended', expectedRevision: null, supersedes: null }
    must(await answered(world, controller.retry(failed, again)))
    await world.until(() => atStep(world, 0))
    expect(world.weight('r2')).toBe(10)
    expect(world.newest.plan).toMatchObject({ steps: [step(10), step(50)], skipAnalysis: false })
    expect(world.newest.plan.skipped).toBeUndefined()
  })

  it('of a stable release that only the router knows of are compared with, though it did not answer at first', async () => {
    const world = await new World().withStable()
    world.store.services.clear()
    let looks = 0
    world.faults.choose = (_, call) => (call === 'router.read' && ++looks === 1 ? { kind: 'refused' } : null)
    world.start()
    await deploy(world, 'r2')
    expect(world.newest.plan.steps).toHaveLength(2)
    await world.until(() => atStep(world, 0))
    expect(world.newest.stableReleaseId).toBe('r1')
  })

  it('are given up at the deadline when their target does not answer', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: 20 })
    await deploy(world, 'r2', { progressDeadlineMs: 60_000 })
    await world.until(() => world.newest.stage.kind === 'staging')
    world.faults.choose = (part) => (part === 'target' ? { kind: 'slow', byMs: 3_600_000 } : null)
    await world.until(() => world.newest.rollback !== null, 120)
    expect(world.newest.rollback?.reason).toBe('the target did not answer within 1 min')
  })

  it('are stopped, when no deployment needs them any more, though the call that started them came late', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => world.newest.stage.kind === 'staging')
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    const release = world.store.releases.get('r2')
    if (!release) throw new Error('r2 is not known')
    world.target.ensure({ service: serviceName, release, instances: 2, key: 'late' })
    await world.advance(10)
    expect(world.target.report().wanted).toEqual({ r1: 2 })
  })

  it('that are deployed again are not hit by a removal that arrives late', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    let removals = 0
    // The first removal takes its time; the next one, asked for since nobody answered, is done at once.
    world.faults.choose = (_, call) =>
      call.startsWith('target.remove') && ++removals === 1 ? { kind: 'slow', byMs: 60_000 } : null
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    expect(removals).toBe(2)
    await deploy(world, 'r2', { steps: [step(50, 30)] })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    await world.advance(60)
    expect(world.target.report().wanted).toEqual({ r2: 2 })
  })

  it('that run for nobody are asked for anew by their deployment, so that no removal on its way hits them', async () => {
    const world = await steered(new World())
    let isHeldUp = false
    world.faults.choose = (_, call) => {
      if (!call.startsWith('target.remove r2') || isHeldUp) return null
      isHeldUp = true
      return { kind: 'slow', byMs: 60_000 }
    }
    await deploy(world, 'r2')
    await world.until(() => world.newest.stage.kind === 'staging')
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    isHeldUp = false
    world.target.ensure({ service: serviceName, release: release('r2'), instances: 2, key: 'late' })
    await world.until(() => isHeldUp, 10)
    await deploy(world, 'r2', { instances: 2, steps: [step(50, 30)] })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    await world.advance(60)
    expect(world.target.report().wanted).toEqual({ r2: 2 })
  })

  it('of the old release stay while an emergency would still send traffic to them', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => world.newest.stage.kind === 'warm')
    world.faults.choose = (_, call) => (call.startsWith('router.set') ? { kind: 'refused' } : null)
    await world.until(() => world.newest.stage.kind === 'retiring')
    await world.advance(20)
    expect(world.target.report().wanted).toEqual({ r1: 2, r2: 2 })
    world.faults.choose = () => null
    await world.until(hasEnded(world), 20)
    expect(world.target.report().wanted).toEqual({ r2: 2 })
  })

  it('that nobody here has started are left alone, and told of', async () => {
    const world = await steered(new World())
    const release = { ...(world.store.releases.get('r2') ?? never()), id: 'unknown' }
    world.target.ensure({ service: serviceName, release, instances: 1, key: 'somebody' })
    await world.advance(10)
    expect(world.target.report().wanted).toEqual({ r1: 2, unknown: 1 })
    expect(engineOf(world).views[0]?.trouble).toContain(
      'unknown is running, but no deployment here started it',
    )
  })
})

/** As when all of the plan stands in the configuration: the options of the deployment itself are empty. */
const deployingAsConfigured = (controller: DeploymentController, releaseId: string, options: PlanOptions) =>
  controller.deploy({
    service: serviceName,
    releaseId,
    options: [{ ...quick, ...options }, {}],
    by: person('anna'),
    why: '',
    expectedRevision: null,
    supersedes: null,
  })

const never = (): never => {
  throw new Error('r2 is not known')
}
