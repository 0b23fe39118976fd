import { describe, expect, it } from 'vitest'
import { must, serviceName, World } from '../world/world.ts'
import { answered, asking, atStep, deploy, engineOf, hasEnded, steered, step } from './asking.ts'

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
    const fleet = world.start()
    must(
      await answered(
        world,
        fleet.addRelease({
          service: serviceName,
          id: 'r1',
          artifact: { kind: 'command', argv: ['serve'], env: {} },
          parameters: {},
          note: '',
          createdAtMs: 0,
          createdBy: 'anna',
        }),
      ),
    )
    await deploy(world, 'r1')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
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
      'unknown runs although no deployment here has started it',
    )
  })
})

const never = (): never => {
  throw new Error('r2 is not known')
}
