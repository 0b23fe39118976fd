import { describe, expect, it } from 'vitest'
import { deploymentView } from '../../../src/engine/deployments/index.ts'
import { must, serviceName, World } from '../world/world.ts'
import { answered, asking, atStep, deploy, engineOf, hasEnded, steered, step } from './asking.ts'
import { person } from '../../support/person.ts'

const full = 'cpu of web-1 is 93% full, the plan allows 85%'
/** A plan that looks at how full hosts are. */
const looking = { resources: { maxCpuRatio: 0.85 }, startAtOnce: 1 }

/** A deployment at its first step whose hosts fill up before the second. */
async function atFullHosts(world: World, options = {}): Promise<World> {
  await steered(world)
  await deploy(world, 'r2', { ...looking, ...options })
  await world.until(() => atStep(world, 0))
  world.missingRoom = full
  await world.until(() => world.newest.missingRoom !== '')
  return world
}

describe('hosts that are fuller than the plan allows', () => {
  it('hold up the next step, say so, and let it go on when there is room again', async () => {
    const world = await atFullHosts(new World())
    await world.advance(20)
    expect(deploymentView(world.newest)).toMatchObject({
      phase: 'stepping',
      stepIndex: 1,
      weight: 10,
      reason: `r2 waits for host resources: ${full}`,
    })
    expect(world.weight('r2')).toBe(10)
    world.missingRoom = ''
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    expect(
      world.newest.log
        .filter(({ text }) => text.toLowerCase().includes('host resources'))
        .map(({ text }) => text),
    ).toEqual([`Waiting for host resources: ${full}`, 'Host resources are available: continuing'])
  })

  it.each(['refused', 'lost'] as const)(
    'hold up the next step while the miss of room cannot be kept: the write is %s',
    async (kind) => {
      const world = await steered(new World())
      await deploy(world, 'r2', { ...looking, steps: [step(10), step(50, 10, { gate: true })] })
      await world.until(() => world.newest.pause?.cause === 'gate')
      world.missingRoom = full
      world.faults.choose = (_, call) => (call.includes('roomMissed') ? { kind } : null)
      await asking(world, 'resume')
      await world.advance(40)
      expect(world.weight('r2')).toBe(10)
      world.faults.choose = () => null
      world.missingRoom = ''
      await world.until(hasEnded(world))
      expect(world.newest.stage.kind).toBe('promoted')
    },
  )

  it('start no further instance of the candidate', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: 5 })
    await deploy(world, 'r2', looking)
    await world.until(() => world.target.report().wanted['r2'] === 1)
    world.missingRoom = full
    await world.advance(20)
    expect(world.target.report().wanted['r2']).toBe(1)
    expect(world.newest.stage.kind).toBe('staging')
    world.missingRoom = ''
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('keep the candidate from taking over', async () => {
    const world = await atFullHosts(new World(), {
      steps: [{ weight: 50, holdMs: 10_000, analysis: true, gate: false }],
    })
    expect(world.newest.stage.kind).toBe('raising')
    await world.advance(20)
    expect(world.weight('r2')).toBe(50)
  })

  it('end the deployment at its progress deadline, with the reason', async () => {
    const world = await atFullHosts(new World(), { progressDeadlineMs: 30_000 })
    await world.until(hasEnded(world), 60)
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.newest.rollback?.reason).toBe(`host resources were short within 30 s: ${full}`)
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it.each(['skip', 'promote'] as const)('do not hold up a person who says %s', async (kind) => {
    const world = await atFullHosts(new World())
    must(await asking(world, kind))
    await world.until(() => world.weight('r2') === 100, 60)
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('stand neither in the way back nor in that of a fix', async () => {
    const world = await steered(new World())
    world.missingRoom = full
    await deploy(world, 'r2', { ...looking, isFix: true })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    const undo = {
      service: serviceName,
      by: person('anna'),
      why: 'worse after all',
      expectedRevision: null,
      supersedes: null,
    }
    must(await answered(world, engineOf(world).undo(undo)))
    await world.until(hasEnded(world))
    expect(world.record.stableReleaseId).toBe('r1')
  })

  it('are waited for again by an engine that was killed meanwhile', async () => {
    const world = await atFullHosts(new World())
    world.start()
    await world.advance(20)
    expect(world.weight('r2')).toBe(10)
    expect(world.newest.missingRoom).toBe(full)
    world.missingRoom = ''
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('do not matter to a plan that does not look', async () => {
    const world = await steered(new World())
    world.missingRoom = full
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })
})
