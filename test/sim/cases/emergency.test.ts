import { describe, expect, it } from 'vitest'
import type { RollbackOutcome } from '../../../src/contract/index.ts'
import type { Fleet } from '../../../src/engine/deployments/index.ts'
import { must, serviceName, World } from '../world/world.ts'
import { answered, atStep, deploy, deploying, engineOf, hasEnded, steered, step } from './asking.ts'

async function pressed(
  world: World,
  fleet: Fleet = engineOf(world),
  services: string[] | 'all' = 'all',
): Promise<RollbackOutcome> {
  let outcome: RollbackOutcome | undefined
  void fleet.emergency(services, 'ben', 'customers call').then(([first]) => (outcome = first))
  await world.until(() => outcome !== undefined, 30)
  return outcome as RollbackOutcome
}

const canary = async (): Promise<World> => {
  const world = await steered(new World())
  await deploy(world, 'r2', { steps: [step(50, 120)], maxTimeMs: 600_000 })
  await world.until(() => atStep(world, 0))
  return world
}

describe('the emergency rollback', () => {
  it('has moved all traffic before any time has passed, verified, and then tidies up', async () => {
    const world = await canary()
    let outcome: RollbackOutcome | undefined
    void engineOf(world)
      .emergency('all', 'ben', 'customers call')
      .then(([first]) => (outcome = first))
    await world.advance(0)
    expect(world.router.report.weights).toEqual({ r1: 100 })
    expect(outcome).toEqual({
      service: serviceName,
      ok: true,
      releaseId: 'r1',
      fromReleaseId: 'r2',
      tookMs: 0,
      text: 'All traffic of shop goes to r1, verified',
    })
    await world.until(hasEnded(world))
    expect(world.newest.rollback).toMatchObject({ by: 'ben', isEmergency: true })
    expect(world.target.report().wanted).toEqual({ r1: 2 })
    expect(world.store.audit.at(-1)).toMatchObject({ actor: 'ben', action: 'services.emergencyRollback' })
  })

  it('stops automation until a person resumes it', async () => {
    const world = await canary()
    await pressed(world)
    await world.until(hasEnded(world))
    const refused = await answered(world, deploying(engineOf(world), 'r3'))
    expect(refused).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    must(await answered(world, engineOf(world).resumeAutomation(serviceName, 'anna', 'found it')))
    expect(world.record.automationStopped).toBeNull()
    expect(world.router.report.emergency).toBeNull()
    await deploy(world, 'r3')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it.each(['store', 'judge', 'target', 'validator', 'hooks'] as const)('needs no %s', async (part) => {
    const world = await canary()
    world.faults.choose = (called) => (called === part ? { kind: 'refused' } : null)
    expect((await pressed(world)).ok).toBe(true)
    expect(world.weight('r2')).toBe(0)
    await world.advance(30)
    world.faults.choose = () => null
    await world.until(hasEnded(world), 60)
    expect(world.record.automationStopped?.by).toBe('ben')
    expect(world.store.audit.map(({ action }) => action)).toContain('services.emergencyRollback')
  })

  it.each(['store', 'target'] as const)('does not wait for a %s that answers late', async (part) => {
    const world = await canary()
    world.faults.choose = (called) => (called === part ? { kind: 'slow', byMs: 60_000 } : null)
    await world.advance(1.5)
    void engineOf(world).emergency('all', 'ben', 'customers call')
    await world.advance(0)
    expect(world.weight('r2')).toBe(0)
  })

  it('works with an engine that has only just started and cannot read its store', async () => {
    const world = await canary()
    world.kill()
    world.faults.choose = (part) => (part === 'store' ? { kind: 'refused' } : null)
    world.start()
    await world.advance(3)
    expect((await pressed(world)).ok).toBe(true)
    expect(world.weight('r2')).toBe(0)
    world.faults.choose = () => null
    await world.until(hasEnded(world), 60)
    expect(world.newest.rollback).toMatchObject({ by: 'ben', isEmergency: true })
  })

  it('made at the router while the engine was dead is kept: nothing is given back', async () => {
    const world = await canary()
    world.kill()
    must(world.router.emergency({ service: serviceName, key: 'from the command line' }))
    world.start()
    await world.until(() => {
      if (world.weight('r2') > 0) throw new Error('traffic was given back')
      return hasEnded(world)()
    }, 60)
    expect(world.newest.rollback?.isEmergency).toBe(true)
    expect(world.record.automationStopped?.reason).toContain('at the router')
  })

  it('overtakes a change of weights that is on its way', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(10), step(50)] })
    await world.until(() => atStep(world, 0))
    world.faults.choose = (_, call) => (call.startsWith('router.set') ? { kind: 'slow', byMs: 3000 } : null)
    await world.until(() => world.newest.stage.kind === 'shifting' && world.newest.stage.step === 1)
    await pressed(world)
    expect(world.weight('r2')).toBe(0)
    await world.advance(10)
    expect(world.weight('r2')).toBe(0)
    await world.until(hasEnded(world))
  })

  it('keeps a look that was under way from raising anything, though the router did not answer', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    world.faults.choose = (_, call) =>
      call.startsWith('store.commit stepPassed') ? { kind: 'slow', byMs: 3000 } : null
    world.faults.isTraced = true
    await world.until(() => world.faults.trace.some((call) => call.includes('store.commit stepPassed')))
    const { choose } = world.faults
    world.faults.choose = (part, call) =>
      call === 'router.emergency' ? { kind: 'refused' } : choose(part, call)
    void engineOf(world).emergency('all', 'ben', 'customers call')
    await world.until(() => world.weight('r2') === 0, 30)
    expect(world.faults.trace.filter((call) => call.includes('router.set {"r1":50,"r2":50}'))).toEqual([])
  })

  it('goes on trying at a router that does not answer', async () => {
    const world = await canary()
    world.faults.choose = (part) => (part === 'router' ? { kind: 'refused' } : null)
    expect((await pressed(world)).ok).toBe(false)
    await world.advance(20)
    world.faults.choose = () => null
    await world.until(() => world.weight('r2') === 0, 3)
  })

  it('of a promotion brings the old release back while it is warm', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => world.newest.stage.kind === 'warm')
    expect((await pressed(world)).ok).toBe(true)
    expect(world.router.report.weights).toEqual({ r1: 100 })
    await world.until(hasEnded(world))
    expect(world.record.stableReleaseId).toBe('r1')
  })

  it('ends a split that nobody remembers, after the state database was lost', async () => {
    const world = await canary()
    world.kill()
    for (const table of [world.store.services, world.store.deployments, world.store.events]) table.clear()
    const fleet = world.start()
    await world.advance(10)
    expect(world.router.report.weights).toEqual({ r1: 50, r2: 50 })
    expect(await pressed(world, fleet)).toMatchObject({ ok: true, releaseId: 'r1' })
    expect(world.router.report.weights).toEqual({ r1: 100 })
    await world.until(() => world.store.services.get(serviceName)?.automationStopped?.by === 'ben')
  })

  it('does not touch a service without a candidate in its traffic, and says so', async () => {
    const world = await steered(new World())
    const outcome = await pressed(world, engineOf(world), [serviceName])
    expect(outcome).toMatchObject({ ok: false, text: 'shop has no candidate in its traffic' })
    expect(world.record.automationStopped).toBeNull()
    expect(world.router.report.emergency).toBeNull()
  })
})
