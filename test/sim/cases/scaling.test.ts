import { configurationActor } from '../../../src/contract/index.ts'
import { describe, expect, it } from 'vitest'
import type { PlanOptions } from '../../../src/contract/index.ts'
import { must, World, serviceName } from '../world/world.ts'
import { answered, asking, atStep, deploy, engineOf, hasEnded, steered, step } from './asking.ts'
import { person } from '../../support/person.ts'

/** A world with two instances of r1, as its configuration declares. */
const declared = async (world = new World()): Promise<World> => {
  world.declare(2)
  return steered(world)
}
const wanted = (world: World) => world.target.report().wanted['r1']
const scalings = (world: World) => world.store.audit.filter(({ action }) => action === 'services.scale')
const long = { steps: [step(50, 60)], maxTimeMs: 300_000 }

describe('a deployment that is ordered once more', () => {
  const asked = { by: person('ben'), why: 'once more', expectedRevision: null, supersedes: null }
  const failing = async (options: PlanOptions) => {
    const world = await declared()
    world.behave('r2', { readyAfterS: null })
    const id = await deploy(world, 'r2', { progressDeadlineMs: 15_000, ...options })
    await world.until(hasEnded(world))
    world.behave('r2', { readyAfterS: 2 })
    return { world, id }
  }

  it('has as many instances as are declared now, and not as many as then', async () => {
    const { world, id } = await failing({ instances: 2 })
    world.declare(4)
    await world.advance(3)
    must(await answered(world, engineOf(world).retry(id, asked)))
    expect(world.newest.plan.instances).toBe(4)
    await world.until(hasEnded(world))
    await world.advance(5)
    expect(world.target.report().wanted).toEqual({ r2: 4 })
  })

  it('keeps a number of its own while nothing else is declared', async () => {
    const { world, id } = await failing({ instances: 3 })
    must(await answered(world, engineOf(world).retry(id, asked)))
    expect(world.newest.plan.instances).toBe(3)
  })
})

describe('a changed number of instances', () => {
  it('holds for the stable release at once, and leaves an audit entry', async () => {
    const world = await declared()
    world.declare(4)
    await world.advance(3)
    expect(wanted(world)).toBe(4)
    expect(scalings(world)).toMatchObject([
      { actor: configurationActor, details: { from: 2, to: 4, releaseId: 'r1' } },
    ])
    world.declare(1)
    await world.advance(5)
    expect(wanted(world)).toBe(1)
    expect(world.unrest()).toEqual([])
  })

  it('waits for the deployment that runs, and holds for the release that it leaves', async () => {
    const world = await declared()
    await deploy(world, 'r2', long)
    await world.until(() => atStep(world, 0))
    world.declare(5)
    await world.advance(5)
    expect(wanted(world)).toBe(2)
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    await world.advance(5)
    expect(wanted(world)).toBe(5)
    expect(world.unrest()).toEqual([])
  })

  it('gives way to a later deployment with a count of its own', async () => {
    const world = await declared()
    await deploy(world, 'r2', long)
    await world.until(() => atStep(world, 0))
    world.declare(5)
    await world.advance(2)
    await deploy(world, 'r3', { instances: 3 })
    await world.until(() => world.record.stableReleaseId === 'r3')
    await world.until(hasEnded(world))
    await world.advance(5)
    expect(world.record.instances).toBe(3)
    expect(scalings(world)).toEqual([])
    world.start()
    await world.advance(5)
    expect(world.record.instances).toBe(3)
    expect(world.unrest()).toEqual([])
  })

  it('holds after all when that later deployment goes back while the old release is warm', async () => {
    const world = await declared()
    await deploy(world, 'r2', long)
    await world.until(() => atStep(world, 0))
    world.declare(5)
    await world.advance(2)
    await deploy(world, 'r3', { instances: 3, keepStableWarmMs: 60_000 })
    await world.until(() => world.record.stableReleaseId === 'r3')
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    await world.advance(5)
    expect(world.record).toMatchObject({ stableReleaseId: 'r1', instances: 5 })
    expect(world.unrest()).toEqual([])
  })

  it('is nothing at the start of an engine: what was decided last is on record', async () => {
    const world = await declared()
    world.declare(4)
    await world.advance(3)
    world.start()
    await world.advance(5)
    expect(world.record.instances).toBe(4)
    expect(wanted(world)).toBe(4)
    expect(scalings(world)).toHaveLength(1)
  })

  it('waits while automation is stopped, over a restart too', async () => {
    const world = await declared()
    await deploy(world, 'r2', long)
    await world.until(() => atStep(world, 0))
    void engineOf(world).emergency([serviceName], person('anna'), 'alarm')
    await world.until(hasEnded(world))
    world.declare(4)
    await world.advance(5)
    world.start()
    await world.advance(5)
    expect(wanted(world)).toBe(2)
    await answered(world, engineOf(world).resumeAutomation(serviceName, person('anna'), 'all is well'))
    await world.advance(5)
    expect(wanted(world)).toBe(4)
  })

  it('that was made while no engine ran holds at its next start', async () => {
    const world = await declared()
    world.kill()
    world.declare(4)
    await world.advance(5)
    world.start()
    await world.advance(5)
    expect(wanted(world)).toBe(4)
    expect(scalings(world)).toMatchObject([{ details: { from: 2, to: 4 } }])
  })

  it('that waits for a deployment is not lost with the engine', async () => {
    const world = await declared()
    await deploy(world, 'r2', long)
    await world.until(() => atStep(world, 0))
    world.declare(5)
    await world.advance(3)
    world.start()
    await world.until(hasEnded(world))
    await world.advance(5)
    expect(world.record).toMatchObject({ stableReleaseId: 'r2', instances: 5 })
    expect(world.unrest()).toEqual([])
  })

  it('is kept by an undo', async () => {
    const world = await declared()
    await deploy(world, 'r2', { keepStableWarmMs: 0 })
    await world.until(hasEnded(world))
    world.declare(5)
    await world.advance(5)
    const asked = { by: person('anna'), why: 'worse', expectedRevision: null, supersedes: null }
    await answered(world, engineOf(world).undo({ service: serviceName, ...asked }))
    await world.until(() => world.record.stableReleaseId === 'r1' && hasEnded(world)())
    await world.advance(5)
    expect(wanted(world)).toBe(5)
  })
})

/** A count that changes in a deployment; the call at `index` kills the engine, which is back after 2 s. */
async function killed(
  kind: 'killBefore' | 'killAfter',
  index: number,
): Promise<{ world: World; isHit: boolean }> {
  const world = await declared()
  await deploy(world, 'r2', { steps: [step(50, 5)], keepStableWarmMs: 2000 })
  await world.until(() => atStep(world, 0))
  let count = 0
  world.faults.choose = () => (count++ === index ? { kind } : null)
  world.declare(4)
  for (let second = 0; second < 60; second++) {
    await world.advance(1)
    if (!world.isAlive && second % 2 === 1) world.start()
  }
  return { world, isHit: count > index }
}

describe('an engine that is killed anywhere while a number of instances changes', () => {
  it.each(['killBefore', 'killAfter'] as const)(
    'leaves the declared number in the end (%s)',
    async (kind) => {
      let index = 0
      for (let isHit = true; isHit && index < 200; index++) {
        const run = await killed(kind, index)
        isHit = run.isHit
        expect(run.world.record, `call ${index}`).toMatchObject({ stableReleaseId: 'r2', instances: 4 })
        expect(run.world.unrest(), `call ${index}`).toEqual([])
        expect(scalings(run.world), `call ${index}`).toHaveLength(1)
      }
      expect(index).toBeGreaterThan(50)
    },
  )
})
