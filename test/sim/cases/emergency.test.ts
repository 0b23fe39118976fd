import { describe, expect, it } from 'vitest'
import {
  localOrderKey,
  type Hook,
  type PlanOptions,
  type RollbackOutcome,
} from '../../../src/contract/index.ts'
import type { DeploymentController, Stage } from '../../../src/engine/deployments/index.ts'
import { must, release, serviceName, World } from '../world/world.ts'
import { answered, asking, atStep, deploy, deploying, engineOf, hasEnded, steered, step } from './asking.ts'
import { person } from '../../support/person.ts'

async function pressed(
  world: World,
  controller: DeploymentController = engineOf(world),
  services: string[] | 'all' = 'all',
): Promise<RollbackOutcome> {
  let outcome: RollbackOutcome | undefined
  void controller.emergency(services, person('ben'), 'customers call').then(([first]) => (outcome = first))
  await world.until(() => outcome !== undefined, 30)
  return outcome as RollbackOutcome
}

/** The same, without a second going by after the answer. */
async function pressedAtOnce(world: World): Promise<RollbackOutcome> {
  let outcome: RollbackOutcome | undefined
  void engineOf(world)
    .emergency('all', person('ben'), 'customers call')
    .then(([first]) => (outcome = first))
  for (let turn = 0; turn < 100 && !outcome; turn++) await world.advance(0.01)
  if (!outcome) throw new Error('no answer to the emergency')
  return outcome
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
      .emergency('all', person('ben'), 'customers call')
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
    expect(world.newest.rollback).toMatchObject({ by: person('ben'), isEmergency: true })
    expect(world.target.report().wanted).toEqual({ r1: 2 })
    expect(world.store.audit.at(-1)).toMatchObject({
      actor: person('ben'),
      action: 'services.emergencyRollback',
    })
  })

  it.each(['target', 'router and target'] as const)(
    'keeps the stable release serving while automation is stopped, whatever state the %s loses',
    async (lost) => {
      const world = await canary()
      await pressed(world)
      await world.until(hasEnded(world))
      world.target.forget()
      if (lost !== 'target') world.router.forget()
      await world.until(
        () => world.router.report.weights['r1'] === 100 && world.target.report().wanted['r1'] === 2,
      )
      await world.advance(30)
      expect(world.router.report.weights).toEqual({ r1: 100 })
      expect(world.target.report().wanted).toEqual({ r1: 2 })
      expect(world.record.automationStopped?.by.name).toBe('ben')
    },
  )

  it('says where traffic goes as the router has it, to who orders it again', async () => {
    const world = await canary()
    await pressed(world)
    await world.until(hasEnded(world))
    const again = await pressed(world, engineOf(world), [serviceName])
    expect(again.text).toContain('was already rolled back by ben: all traffic goes to r1')
  })

  it('is set right at a router that has lost it, and can be ordered again meanwhile', async () => {
    const world = await canary()
    await pressed(world)
    await world.until(hasEnded(world))
    world.router.restart({ r1: 50, r2: 50 })
    await world.advance(2)
    expect(world.router.report).toMatchObject({ weights: { r1: 100 }, fallbackReleaseId: 'r1' })
    world.faults.choose = (_, call) => (call.startsWith('router.set') ? { kind: 'refused' } : null)
    world.router.restart({ r1: 50, r2: 50 })
    await world.advance(2)
    expect(world.weight('r2')).toBe(50)
    expect(await pressedAtOnce(world)).toMatchObject({ ok: true })
    expect(world.weight('r2')).toBe(0)
  })

  it('stands on after an order to resume that cannot be stored', async () => {
    const world = await canary()
    await pressed(world)
    await world.until(hasEnded(world))
    world.faults.choose = (part) => (part === 'store' ? { kind: 'refused' } : null)
    const order = engineOf(world).resumeAutomation(serviceName, person('anna'), 'found it', null)
    expect(await answered(world, order)).toMatchObject({ ok: false })
    expect(world.router.report.emergency).not.toBeNull()
    world.kill()
    world.faults.choose = () => null
    world.start()
    await world.advance(5)
    expect(world.router.report.weights).toEqual({ r1: 100 })
    expect(world.record.automationStopped).toMatchObject({ by: person('ben') })
  })

  it.each(['killBefore', 'killAfter', 'lost', 'refused'] as const)(
    'ends with a stored order to resume, though the router is told late (%s)',
    async (kind) => {
      const world = await canary()
      await pressed(world)
      await world.until(hasEnded(world))
      let count = 0
      world.faults.choose = (_, call) => (call.startsWith('router.set') && count++ === 0 ? { kind } : null)
      void engineOf(world).resumeAutomation(serviceName, person('anna'), 'found it', null)
      await world.until(() => count > 0, 10)
      if (kind.startsWith('kill')) world.start()
      await world.until(() => world.router.report.emergency === null, 10)
      await world.advance(5)
      expect(world.record.automationStopped).toBeNull()
      const orders = world.store.audit.filter(({ action }) => action === 'services.resume')
      expect(orders).toMatchObject([{ actor: person('anna') }])
    },
  )

  it('leaves traffic where it is while automation is stopped', async () => {
    const world = await canary()
    await pressed(world)
    await world.until(hasEnded(world))
    const before = world.router.report
    await world.advance(60)
    expect(world.router.report).toEqual(before)
  })

  it('stops automation until a person resumes it', async () => {
    const world = await canary()
    await pressed(world)
    await world.until(hasEnded(world))
    const refused = await answered(world, deploying(engineOf(world), 'r3'))
    expect(refused).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    must(await answered(world, engineOf(world).resumeAutomation(serviceName, person('anna'), 'found it')))
    expect(world.record.automationStopped).toBeNull()
    expect(world.router.report.emergency).toBeNull()
    await deploy(world, 'r3')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('lets a person go further back with one order, which resumes automation; nothing else starts before', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { keepStableWarmMs: 0 })
    await world.until(hasEnded(world))
    await deploy(world, 'r3')
    await world.until(() => atStep(world, 0))
    await pressed(world)
    await world.until(hasEnded(world))
    await world.advance(3)
    expect(engineOf(world).views[0]?.wayBack).toMatchObject({
      kind: 'undo',
      from: 'r2',
      to: 'r1',
      resumesAutomation: true,
      text: expect.stringMatching(/, and resumes automation$/) as string,
    })
    const undo = {
      service: serviceName,
      by: person('anna'),
      why: 'r2 fails too',
      expectedRevision: null,
      supersedes: null,
    }
    const unaware = await answered(world, engineOf(world).undo(undo))
    expect(unaware).toMatchObject({
      ok: false,
      error: { details: { nextCommand: `pilothouse resume ${serviceName}` } },
    })
    expect(world.record.automationStopped).not.toBeNull()
    const unknown = { ...undo, releaseId: 'r9', resumesAutomation: true }
    expect(await answered(world, engineOf(world).undo(unknown))).toMatchObject({ ok: false })
    expect(world.router.report.emergency).not.toBeNull()

    must(await answered(world, engineOf(world).undo({ ...undo, resumesAutomation: true })))
    expect(world.record.automationStopped).toBeNull()
    expect(world.router.report.emergency).toBeNull()
    await world.until(hasEnded(world))
    expect(world.router.report.weights).toEqual({ r1: 100 })
    const orders = world.store.audit.filter(({ actor }) => actor.name === 'anna').map(({ action }) => action)
    expect(orders.slice(-2)).toEqual(['services.resume', 'deployments.request'])
  })

  it.each(['store', 'judge', 'target', 'validator', 'hooks'] as const)('needs no %s', async (part) => {
    const world = await canary()
    world.faults.choose = (called) => (called === part ? { kind: 'refused' } : null)
    expect((await pressed(world)).ok).toBe(true)
    expect(world.weight('r2')).toBe(0)
    await world.advance(30)
    world.faults.choose = () => null
    await world.until(hasEnded(world), 60)
    expect(world.record.automationStopped?.by.name).toBe('ben')
    expect(world.store.audit.map(({ action }) => action)).toContain('services.emergencyRollback')
  })

  it.each(['store', 'target'] as const)('does not wait for a %s that answers late', async (part) => {
    const world = await canary()
    world.faults.choose = (called) => (called === part ? { kind: 'slow', byMs: 60_000 } : null)
    await world.advance(1.5)
    void engineOf(world).emergency('all', person('ben'), 'customers call')
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
    expect(world.newest.rollback).toMatchObject({ by: person('ben'), isEmergency: true })
  })

  it('made at the router while the engine was dead is kept: nothing is given back', async () => {
    const world = await canary()
    world.kill()
    const made = must(
      world.router.emergency({ service: serviceName, key: localOrderKey('emergency:1', 'mira') }),
    )
    await world.advance(90)
    world.start()
    await world.until(() => {
      if (world.weight('r2') > 0) throw new Error('traffic was given back')
      return hasEnded(world)()
    }, 60)
    expect(world.newest.rollback?.isEmergency).toBe(true)
    expect(world.record.automationStopped?.reason).toContain('directly to the router')
    expect(world.record.automationStopped?.atMs).toBe(made.emergency?.atMs)
    const entry = world.store.audit.find(({ action }) => action === 'services.emergencyRollback')
    expect(entry).toMatchObject({ atMs: made.emergency?.atMs, actor: person('local operator (user mira)') })
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
    void engineOf(world).emergency('all', person('ben'), 'customers call')
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
    const controller = world.start()
    await world.advance(10)
    expect(world.router.report.weights).toEqual({ r1: 50, r2: 50 })
    expect(await pressed(world, controller)).toMatchObject({ ok: true, releaseId: 'r1' })
    expect(world.router.report.weights).toEqual({ r1: 100 })
    await world.until(() => world.store.services.get(serviceName)?.automationStopped?.by.name === 'ben')
  })

  it('does not touch a service without a deployment, and says so', async () => {
    const world = await steered(new World())
    const outcome = await pressed(world, engineOf(world), [serviceName])
    expect(outcome).toMatchObject({
      ok: false,
      code: 'CONFLICT',
      text: 'shop has no deployment to stop and no earlier release to return to',
    })
    expect(world.record.automationStopped).toBeNull()
    expect(world.router.report.emergency).toBeNull()
  })
})

const hook = (phase: Hook['phase'], when: Hook['when'] = 'before'): PlanOptions => ({
  hooks: [
    {
      name: 'slow',
      when,
      phase,
      run: { kind: 'script', argv: ['true'] },
      timeoutMs: 1000,
      onFailure: 'continue',
    },
  ],
})
const isAt = (world: World, kind: Stage['kind']) => () => world.newest.stage.kind === kind

/** A deployment of r2 in each phase that it can be in while nothing has ended it. */
const phases: Record<string, (world: World) => Promise<unknown>> = {
  'a queued deployment': async (world) => {
    await deploy(world, 'r3', { steps: [step(50, 120)] })
    await world.until(() => atStep(world, 0))
    world.faults.choose = (_, call) => (call.startsWith('target.remove') ? { kind: 'refused' } : null)
    await deploy(world, 'r2')
    await world.advance(3)
    expect(world.newest.stage.kind).toBe('queued')
  },
  'running checks': async (world) => {
    world.checksTakeMs = 60_000
    await deploy(world, 'r2')
    await world.until(isAt(world, 'validating'))
  },
  'checks paused by a person': async (world) => {
    world.checksTakeMs = 5000
    await deploy(world, 'r2')
    await world.until(isAt(world, 'validating'))
    must(await asking(world, 'pause'))
  },
  'a hook before the first instance': async (world) => {
    world.hooksTakeMs = 60_000
    await deploy(world, 'r2', hook('staging'))
    await world.until(isAt(world, 'staging'))
  },
  'starting instances': async (world) => {
    world.behave('r2', { readyAfterS: 30 })
    await deploy(world, 'r2')
    await world.until(() => world.target.report().wanted['r2'] !== undefined)
  },
  'a gate before any traffic': async (world) => {
    await deploy(world, 'r2', { steps: [step(50, 10, { gate: true })] })
    await world.until(() => world.newest.pause?.cause === 'gate')
  },
  'a step': async (world) => {
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
  },
  'a step paused by a person': async (world) => {
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    must(await asking(world, 'pause'))
  },
  'a hook before the promotion': async (world) => {
    world.hooksTakeMs = 60_000
    await deploy(world, 'r2', hook('promoting'))
    await world.until(isAt(world, 'raising'))
  },
  'the hand-over': async (world) => {
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 1))
    world.faults.choose = (_, call) => (call.startsWith('router.set') ? { kind: 'slow', byMs: 3000 } : null)
    await world.until(isAt(world, 'handing_over'))
  },
  'a promotion with the old release kept warm': async (world) => {
    await deploy(world, 'r2', { keepStableWarmMs: 60_000 })
    await world.until(isAt(world, 'warm'))
  },
}

/** Lets time pass; throws as soon as r2 has traffic. */
async function withoutTrafficOfR2(world: World, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await world.advance(1)
    expect(world.weight('r2'), `traffic of r2, ${second} s later\n${world.describe()}`).toBe(0)
  }
}

describe.each(Object.entries(phases))('the emergency rollback during %s', (_, reach) => {
  it('ends the deployment, and its candidate gets no traffic, whenever the engine is killed afterwards', async () => {
    for (const killAfterS of [0, 0.05, 0.5, 2, null]) {
      const world = await steered(new World())
      await reach(world)
      const outcome = await pressedAtOnce(world)
      expect(outcome).toMatchObject({ ok: true, releaseId: 'r1' })
      expect(world.weight('r2')).toBe(0)
      if (killAfterS !== null) {
        await world.advance(killAfterS)
        world.kill()
        await world.advance(5)
        world.start()
      }
      world.faults.choose = () => null
      await withoutTrafficOfR2(world, 150)
      expect(hasEnded(world)()).toBe(true)
      expect(world.newest.stage.kind).toBe('rolled_back')
      expect(world.newest.rollback).toMatchObject({ isEmergency: true })
      expect(world.record).toMatchObject({ stableReleaseId: 'r1' })
      expect(world.record.automationStopped).not.toBeNull()
      must(await answered(world, engineOf(world).resumeAutomation(serviceName, person('anna'), 'found it')))
      await withoutTrafficOfR2(world, 60)
      expect(world.router.report.weights).toEqual({ r1: 100 })
    }
  })

  it('offers before what it does then, and nothing afterwards', async () => {
    const world = await steered(new World())
    await reach(world)
    const offered = engineOf(world).views[0]?.wayBack
    const outcome = await pressed(world)
    expect(offered).toMatchObject({ from: outcome.fromReleaseId, to: outcome.releaseId })
    world.faults.choose = () => null
    await world.until(hasEnded(world), 120)
    await world.advance(2)
    expect(engineOf(world).views[0]?.wayBack).toBeNull()
  })
})

describe('the emergency rollback of a first release', () => {
  const first = async (): Promise<World> => {
    const world = new World()
    world.store.releases.set('r2', release('r2'))
    world.start()
    await world.advance(2)
    world.behave('r2', { readyAfterS: 30 })
    await deploy(world, 'r2')
    return world
  }

  it('ends a deployment that has no traffic yet, also when the engine dies right after', async () => {
    const world = await first()
    await world.until(isAt(world, 'staging'))
    expect(await pressed(world)).toMatchObject({ ok: true, releaseId: null, fromReleaseId: 'r2' })
    world.kill()
    world.start()
    await withoutTrafficOfR2(world, 100)
    expect(world.newest.stage.kind).toBe('rolled_back')
  })

  it('leaves one that has traffic: there is nothing to go back to', async () => {
    const world = await first()
    await world.until(() => world.weight('r2') === 100)
    expect(await pressed(world, engineOf(world), [serviceName])).toMatchObject({
      ok: false,
      code: 'CONFLICT',
    })
    expect(engineOf(world).views[0]?.wayBack).toBeNull()
    expect(world.weight('r2')).toBe(100)
  })
})

describe('a promotion whose old release has stopped', () => {
  const promoted = async (): Promise<World> => {
    const world = await steered(new World())
    await deploy(world, 'r2', { keepStableWarmMs: 0 })
    await world.until(hasEnded(world))
    await world.advance(2)
    return world
  }

  it('is offered as an undo; the emergency rollback names that command and moves nothing', async () => {
    const world = await promoted()
    expect(engineOf(world).views[0]?.wayBack).toMatchObject({
      kind: 'undo',
      from: 'r2',
      to: 'r1',
      text: 'r1 has stopped: an undo starts it first, its start time is not known',
    })
    expect(await pressed(world, engineOf(world), [serviceName])).toMatchObject({
      ok: false,
      code: 'CONFLICT',
      nextCommand: 'pilothouse deployments undo shop',
    })
    expect(world.router.report.weights).toEqual({ r2: 100 })
    expect(world.record.automationStopped).toBeNull()
  })

  it('says how long the release took to start the last time', async () => {
    const world = await promoted()
    world.behave('r3', { readyAfterS: 8 })
    for (const next of ['r3', 'r4']) {
      await deploy(world, next, { keepStableWarmMs: 0 })
      await world.until(hasEnded(world))
    }
    await world.advance(2)
    const way = engineOf(world).views[0]?.wayBack
    expect(way).toMatchObject({ kind: 'undo', from: 'r4', to: 'r3' })
    const [, seconds] = /^r3 has stopped: an undo starts it first, about (\d+) s$/.exec(way?.text ?? '') ?? []
    expect(Number(seconds)).toBeGreaterThanOrEqual(8)
    expect(Number(seconds)).toBeLessThan(20)
  })

  it('is undone to the release that is being stopped, not to the one before it', async () => {
    const world = await promoted()
    await deploy(world, 'r3', { keepStableWarmMs: 0 })
    await world.until(isAt(world, 'retiring'))
    expect(engineOf(world).views[0]?.wayBack).toMatchObject({ kind: 'undo', from: 'r3', to: 'r2' })
    const asked = {
      service: serviceName,
      by: person('ben'),
      why: '',
      expectedRevision: null,
      supersedes: null,
    }
    must(await answered(world, engineOf(world).undo(asked)))
    await world.until(() => world.router.report.weights['r2'] === 100)
  })
})

describe('after an undo', () => {
  const plainUndo = {
    service: serviceName,
    by: person('ben'),
    why: '',
    expectedRevision: null,
    supersedes: null,
  }
  const undone = async (readyAfterS = 1): Promise<World> => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    world.behave('r1', { readyAfterS })
    must(await answered(world, engineOf(world).undo(plainUndo)))
    return world
  }
  /** Presses the button each second until the deployment has ended, for everything and by name. */
  const pressedThroughout = async (world: World): Promise<string[]> => {
    const offered: string[] = []
    while (!hasEnded(world)()) {
      const way = engineOf(world).views[0]?.wayBack
      if (way) offered.push(`${way.kind} ${way.from} → ${way.to ?? ''}`)
      void engineOf(world).emergency('all', person('anna'), 'all of it')
      void engineOf(world).emergency([serviceName], person('anna'), 'this one')
      await world.advance(1)
    }
    return offered
  }

  it('offers no way to the release that was left, whenever it is pressed, and the undo goes on', async () => {
    const world = await undone(15)
    expect(await pressedThroughout(world)).toEqual([])
    expect(world.newest.stage.kind).toBe('promoted')
    expect(world.router.report.weights).toEqual({ r1: 100 })
    expect(world.record).toMatchObject({ stableReleaseId: 'r1', automationStopped: null })
    await world.advance(2)
    expect(engineOf(world).views[0]?.wayBack).toBeNull()
  })

  it('names the undo under way to who orders an emergency', async () => {
    const world = await undone(15)
    await world.until(isAt(world, 'staging'))
    expect(await pressed(world, engineOf(world), [serviceName])).toMatchObject({
      ok: false,
      code: 'CONFLICT',
      nextCommand: `pilothouse deployments show ${world.newest.id}`,
    })
  })

  it('leaves nothing warm, and the router falls back to nothing that was left', async () => {
    const world = await undone()
    await world.until(() => world.record.stableReleaseId === 'r1')
    await world.advance(2)
    expect(world.router.report.fallbackReleaseId).toBe('r1')
    await world.until(hasEnded(world), 10)
    expect(world.target.report().wanted).toEqual({ r1: 2 })
  })

  it('does not go back to what was left without its name; by its name it is a deployment', async () => {
    const world = await undone()
    await world.until(hasEnded(world))
    expect(await answered(world, engineOf(world).undo(plainUndo))).toMatchObject({
      ok: false,
      error: { code: 'NOT_FOUND' },
    })
    must(await answered(world, engineOf(world).undo({ ...plainUndo, releaseId: 'r2' })))
    await world.until(isAt(world, 'warm'))
    expect(world.newest.plan.isUndo).toBeUndefined()
    expect(engineOf(world).views[0]?.wayBack).toMatchObject({ kind: 'warm', from: 'r2', to: 'r1' })
  })
})
