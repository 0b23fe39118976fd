import { describe, expect, it } from 'vitest'
import type { Fault } from '../world/faults.ts'
import { serviceName, World } from '../world/world.ts'
import { answered, asking, atStep, deploy, deploying, engineOf, hasEnded, steered, step } from './asking.ts'
import { person } from '../../support/person.ts'

/** Every call of a deployment in its order, from an undisturbed run. */
async function callsOf(): Promise<string[]> {
  const world = await steered(new World())
  const calls: string[] = []
  world.faults.choose = (_, call) => {
    calls.push(call)
    return null
  }
  await deploy(world, 'r2')
  await world.until(hasEnded(world))
  return calls
}

/** A deployment in which the call at `index` meets `fault`; an engine that dies of it returns after 2 s. */
async function disturbed(index: number, fault: Fault): Promise<World> {
  const world = await steered(new World())
  let count = 0
  world.faults.choose = () => (count++ === index ? fault : null)
  void deploying(engineOf(world), 'r2')
  for (let second = 0; second < 400; second++) {
    await world.advance(1)
    if (!world.isAlive && second % 2 === 1) {
      world.start()
      if (world.store.deployments.size === 0) {
        await world.advance(2)
        await deploy(world, 'r2')
      }
    }
    if (world.isAlive && world.store.deployments.size > 0 && hasEnded(world)()) return world
    if (second === 8 && world.store.deployments.size === 0 && world.isAlive) await deploy(world, 'r2')
  }
  throw new Error(`no end\n${world.describe()}`)
}

describe('an engine that is killed', () => {
  it('anywhere in a deployment, before or after any call, finishes it as if nothing had been (27)', async () => {
    const calls = await callsOf()
    expect(calls.length).toBeGreaterThan(100)
    for (const kind of ['killBefore', 'killAfter'] as const)
      for (const index of calls.keys()) {
        const world = await disturbed(index, { kind })
        await world.advance(3)
        const where = `${kind} call ${index}, ${calls[index]}`
        expect(world.unrest(), where).toEqual([])
        expect(world.record.stableReleaseId, where).toBe('r2')
        const weights = world.newest.log.filter(({ text }) => text.includes('10% of requests, verified'))
        expect(weights.length, where).toBe(1)
        expect((world.store.bins.get(world.newest.id) ?? []).length, where).toBeGreaterThan(0)
      }
  })

  it('anywhere in a rollback still takes the candidate to 0%', async () => {
    for (const kind of ['killBefore', 'killAfter', 'lost', 'refused'] as const)
      for (let index = 0; index < 30; index++) {
        const world = await steered(new World())
        await deploy(world, 'r2')
        await world.until(() => atStep(world, 1))
        let count = 0
        world.faults.choose = () => (count++ === index ? { kind } : null)
        void engineOf(world).command(world.newest.id, {
          kind: 'abort',
          by: person('ben'),
          why: 'bad',
          expectedRevision: null,
        })
        await world.advance(3)
        if (!world.isAlive) world.start()
        await world.advance(3)
        if (world.newest.rollback === null) await asking(world, 'abort')
        await world.until(hasEnded(world), 60)
        await world.advance(3)
        expect(world.unrest(), `${kind} call ${index}`).toEqual([])
        expect(world.record.stableReleaseId).toBe('r1')
      }
  })

  it('does not give the traffic back that it took away when its store was locked', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.5 })
    await deploy(world, 'r2')
    await world.until(() => world.weight('r2') === 10)
    world.faults.choose = (part) => (part === 'store' ? { kind: 'refused' } : null)
    await world.until(() => world.weight('r2') === 0, 60)
    world.kill()
    world.faults.choose = () => null
    expect(world.newest.rollback).toBeNull()
    world.start()
    await world.until(() => {
      if (world.weight('r2') > 0) throw new Error('traffic was given back')
      return hasEnded(world)()
    }, 60)
    expect(world.newest.rollback?.reason).toContain('had already been removed when the engine stopped')
  })

  it('and comes back while the target is dead takes the traffic from a candidate all the same', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    world.kill()
    world.faults.choose = (part) => (part === 'target' ? { kind: 'refused' } : null)
    world.start()
    await world.advance(2)
    await asking(world, 'abort')
    await world.until(() => world.weight('r2') === 0, 5)
    world.faults.choose = () => null
    await world.until(hasEnded(world))
  })

  it('leaves the canary as it is, and judges what came meanwhile when it is back', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(10, 60)], maxTimeMs: 600_000 })
    await world.until(() => atStep(world, 0))
    world.kill()
    world.behave('r2', { errorRatio: 0.3 })
    await world.advance(120)
    expect(world.weight('r2')).toBe(10)
    world.start()
    await world.until(() => world.weight('r2') === 0, 15)
  })
})

describe('a store that fails', () => {
  it('while it is locked nothing new begins and nothing is forgotten; a rollback goes on (28)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    world.faults.choose = (part) => (part === 'store' ? { kind: 'refused' } : null)
    await world.advance(60)
    expect(world.weight('r2')).toBe(10)
    expect(engineOf(world).views[0]?.trouble).toContain('The store refused')
    expect((await asking(world, 'abort')).ok).toBe(true)
    await world.until(() => world.weight('r2') === 0, 5)
    world.faults.choose = () => null
    await world.until(hasEnded(world), 30)
    expect(world.newest.stage.kind).toBe('rolled_back')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
    expect(world.store.audit.map(({ action }) => action)).toContain('deployments.abort')
  })

  it('and loses the answer to a write does not lose the deployment', async () => {
    const world = await steered(new World())
    let isLost = false
    world.faults.choose = (_, call) => {
      if (isLost || !call.startsWith('store.commit requested')) return null
      isLost = true
      return { kind: 'lost' }
    }
    const answer = await answered(world, deploying(engineOf(world), 'r2'))
    expect(answer).toMatchObject({ ok: false, error: { code: 'STORE_BUSY' } })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })
})

describe('a write that was given up', () => {
  it('and arrives long after is found, and what it asked for begins', async () => {
    const world = await steered(new World())
    world.faults.choose = (_, call) =>
      call.startsWith('store.commit requested') ? { kind: 'slow', byMs: 20_000 } : null
    const answer = await answered(world, deploying(engineOf(world), 'r2'))
    expect(answer).toMatchObject({ ok: false, error: { code: 'TIMEOUT' } })
    await world.advance(25)
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })
})

describe('a second engine on the same store', () => {
  it('does neither harm nor a step twice: each takes what the other has written', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.advance(2)
    const second = world.startBeside()
    await world.until(() => atStep(world, 0))
    await world.until(hasEnded(world))
    await world.advance(5)
    expect(world.newest.stage.kind).toBe('promoted')
    expect(world.newest.log.filter(({ text }) => text.startsWith('Step 1 of 2 passed'))).toHaveLength(1)
    expect(second.views[0]?.record).toEqual(world.record)
    expect(world.unrest()).toEqual([])
  })
})

describe('a router', () => {
  it('that loses its weights gets them back within one look (29)', async () => {
    const world = await steered(new World())
    world.router.restart({})
    await world.advance(2)
    expect(world.router.report.weights).toEqual({ r1: 100 })
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    world.router.restart({ r1: 100 })
    await world.advance(2)
    expect(world.weight('r2')).toBe(10)
  })

  it('that somebody else has changed is set right, with both revisions known', async () => {
    const world = await steered(new World())
    const { revision } = world.router.report
    world.router.restart({ r1: 100, r2: 0 })
    world.router.set({
      service: serviceName,
      weights: {},
      fallbackReleaseId: null,
      expectedRevision: revision + 1,
      key: 'by hand',
      endsEmergency: false,
    })
    world.broken.length = 0
    await world.advance(3)
    expect(world.router.report).toMatchObject({ weights: { r1: 100 }, fallbackReleaseId: 'r1' })
  })

  it('that is dead keeps a rollback waiting, not from happening', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    world.faults.choose = (part) => (part === 'router' ? { kind: 'refused' } : null)
    await asking(world, 'abort')
    await world.advance(60)
    expect(world.newest.stage.kind).toBe('returning')
    world.faults.choose = () => null
    await world.until(() => world.weight('r2') === 0, 3)
    await world.until(hasEnded(world))
  })
})

describe('time', () => {
  it.each([-3_600_000, 3_600_000])(
    'of the wall that jumps by %i ms ends no hold and no deadline (30)',
    async (byMs) => {
      const world = await steered(new World())
      await deploy(world, 'r2', { steps: [step(10, 60)], maxTimeMs: 300_000 })
      await world.until(() => atStep(world, 0))
      await world.advance(10)
      world.clock.jumpWall(byMs)
      await world.advance(20)
      expect(atStep(world, 0)).toBe(true)
      expect(world.weight('r2')).toBe(10)
      await world.until(hasEnded(world))
      expect(world.newest.stage.kind).toBe('promoted')
    },
  )

  it('asleep counts neither for the hold nor against the deadline, and its bin is not judged (30)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(10, 60)], maxTimeMs: 300_000 })
    await world.until(() => atStep(world, 0))
    await world.advance(10)
    world.behave('r2', { errorRatio: 1 })
    world.clock.suspend(3_600_000)
    world.router.second(3_600_000)
    world.behave('r2', { errorRatio: 0.001 })
    await world.advance(10)
    expect(atStep(world, 0)).toBe(true)
    expect(world.newest.rollback).toBeNull()
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })
})
