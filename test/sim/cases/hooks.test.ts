import { describe, expect, it } from 'vitest'
import type { Hook } from '../../../src/contract/index.ts'
import { World } from '../world/world.ts'
import { asking, atStep, deploy, engineOf, hasEnded, steered } from './asking.ts'
import { person } from '../../support/person.ts'
import { engineActor } from '../../../src/contract/index.ts'

const hook = (name: string, when: Hook['when'], phase: Hook['phase'], more: Partial<Hook> = {}): Hook => ({
  name,
  when,
  phase,
  run: { kind: 'script', argv: ['true'] },
  timeoutMs: 3_600_000,
  onFailure: 'pause',
  ...more,
})

describe('hooks', () => {
  it('run before and after each phase, and once', async () => {
    const world = await steered(new World())
    const phases = ['validating', 'staging', 'stepping', 'promoting'] as const
    const hooks = phases.flatMap((phase) =>
      (['before', 'after'] as const).map((when) => ({
        name: `${when} ${phase}`,
        when,
        phase,
        run: { kind: 'script' as const, argv: ['true'] },
        timeoutMs: 1000,
        onFailure: 'pause' as const,
      })),
    )
    await deploy(world, 'r2', { hooks })
    await world.until(hasEnded(world))
    expect(world.hookRuns).toEqual([
      'before validating',
      'after validating',
      'before staging',
      'after staging',
      'before stepping 0',
      'after stepping 0',
      'before stepping 1',
      'after stepping 1',
      'before promoting',
      'after promoting',
    ])
  })

  it.each([
    ['continue', 'promoted'],
    ['rollback', 'rolled_back'],
  ] as const)('that fail do as their policy %s says', async (onFailure, ending) => {
    const world = await steered(new World())
    world.hookFails = () => true
    const run = { kind: 'webhook' as const, url: 'http://127.0.0.1:1/' }
    await deploy(world, 'r2', {
      hooks: [{ name: 'notify', when: 'before', phase: 'stepping', run, timeoutMs: 1000, onFailure }],
    })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe(ending)
  })

  it('that fail with the policy pause wait for a person, who may go on', async () => {
    const world = await steered(new World())
    world.hookFails = () => true
    const run = { kind: 'script' as const, argv: ['false'] }
    await deploy(world, 'r2', {
      hooks: [{ name: 'smoke', when: 'after', phase: 'staging', run, timeoutMs: 1000, onFailure: 'pause' }],
    })
    await world.until(() => world.newest.pause?.cause === 'hook')
    expect(world.newest.pause?.reason).toContain('Hook smoke, after the start of its instances')
    await asking(world, 'resume')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it.each([
    ['pause', 'deployments.pause'],
    ['rollback', 'deployments.rollback'],
  ] as const)(
    'that fail with the policy %s stand in the audit log as what the engine did',
    async (onFailure, action) => {
      const world = await steered(new World())
      world.hookFails = () => true
      const run = { kind: 'script' as const, argv: ['false'] }
      await deploy(world, 'r2', {
        hooks: [{ name: 'smoke', when: 'after', phase: 'staging', run, timeoutMs: 1000, onFailure }],
      })
      await world.until(() => world.newest.pause !== null || hasEnded(world)())
      const entry = world.store.audit.find((each) => each.action === action)
      expect(entry).toMatchObject({ actor: engineActor })
      expect(entry?.why).toContain('Hook smoke, after the start of its instances')
    },
  )

  it('of a rollback never delay it: they run when the traffic has returned', async () => {
    const world = await steered(new World())
    const run = { kind: 'script' as const, argv: ['slow'] }
    await deploy(world, 'r2', {
      hooks: [
        { name: 'tell', when: 'before', phase: 'rolling_back', run, timeoutMs: 1000, onFailure: 'pause' },
      ],
    })
    await world.until(() => atStep(world, 0))
    world.hookFails = () => {
      if (world.weight('r2') > 0) world.broken.push('a hook ran before the traffic had returned')
      return true
    }
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    expect(world.hookRuns).toEqual(['tell'])
  })

  const told = [
    hook('before', 'before', 'rolling_back'),
    hook('after', 'after', 'rolling_back'),
    hook('checked', 'after', 'validating'),
  ]

  it('are told of a deployment whose checks fail, with the reason, before it ends', async () => {
    const world = await steered(new World())
    world.checksPass = false
    await deploy(world, 'r2', { hooks: told })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('failed')
    expect(world.hookRuns).toEqual(['before', 'after'])
    for (const context of world.hookContexts)
      expect(context).toMatchObject({
        phase: 'rolling_back',
        ending: 'failed',
        reason: expect.stringContaining('the check artifact failed') as string,
      })
    expect(world.target.report().wanted).toEqual({ r1: 2 })
  })

  it.each(['abort', 'emergency'] as const)(
    'are told of a deployment that ends by %s while it is checked',
    async (way) => {
      const world = await steered(new World())
      world.checksTakeMs = 60_000
      await deploy(world, 'r2', { hooks: told })
      await world.until(() => world.newest.stage.kind === 'validating')
      if (way === 'abort') await asking(world, 'abort')
      else await engineOf(world).emergency('all', person('ben'), 'now')
      await world.until(hasEnded(world))
      expect(world.newest.stage.kind).toBe('rolled_back')
      expect(world.hookRuns).toEqual(['before', 'after'])
      expect(world.hookContexts.map(({ ending }) => ending)).toEqual(['rolled_back', 'rolled_back'])
    },
  )

  it('are told of a deployment that is superseded in the queue, and the newer one begins after them', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    await deploy(world, 'r3', { hooks: told })
    expect(world.newest.stage.kind).toBe('queued')
    await deploy(world, 'r4', {})
    await world.until(hasEnded(world))
    expect(world.newest).toMatchObject({ candidateReleaseId: 'r4', stage: { kind: 'promoted' } })
    expect(world.hookRuns).toEqual(['before', 'after'])
    expect(world.hookContexts[0]).toMatchObject({ candidateReleaseId: 'r3', reason: 'r4 supersedes it' })
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('of a deployment that ended before its start are told once more by an engine that was killed over it', async () => {
    const world = await steered(new World())
    world.checksPass = false
    let isKilled = false
    world.faults.choose = (_, call) => {
      if (isKilled || !call.startsWith('hooks.run')) return null
      isKilled = true
      return { kind: 'killAfter' }
    }
    await deploy(world, 'r2', { hooks: told })
    await world.until(() => isKilled)
    world.start()
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('failed')
    expect(world.hookRuns).toEqual(['before', 'before', 'after'])
    expect(world.hookContexts[0]?.key).toBe(world.hookContexts[1]?.key)
  })

  it('before the start of the candidate keep it from starting until they have run', async () => {
    const world = await steered(new World())
    world.hooksTakeMs = 20_000
    world.hookFails = () => {
      if (world.target.report().wanted['r2'] !== undefined)
        world.broken.push('r2 was started before its hook had run')
      return true
    }
    await deploy(world, 'r2', { hooks: [hook('migrate', 'before', 'staging')] })
    await world.until(() => world.newest.pause?.cause === 'hook')
    await world.advance(30)
    expect(world.target.report().wanted).toEqual({ r1: 2 })
    await asking(world, 'resume')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it.each([
    ['before', 'staging'],
    ['after', 'staging'],
    ['before', 'stepping'],
    ['before', 'promoting'],
  ] as const)('%s %s may take longer than the candidate has to become healthy', async (when, phase) => {
    const world = await steered(new World())
    world.hooksTakeMs = 90_000
    await deploy(world, 'r2', { progressDeadlineMs: 60_000, hooks: [hook('tests', when, phase)] })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('and checks are not made again because their end cannot be kept at once', async () => {
    const world = await steered(new World())
    let checkCount = 0
    let isLocked = true
    world.faults.choose = (_, call) => {
      if (call === 'validator.validate') checkCount += 1
      return isLocked && /^store.commit (validated|hookEnded)/.test(call) ? { kind: 'refused' } : null
    }
    await deploy(world, 'r2', { hooks: [hook('tell', 'after', 'validating')] })
    await world.advance(30)
    expect(world.newest.validation).toBeNull()
    isLocked = false
    await world.until(() => world.newest.validation !== null, 3)
    isLocked = true
    await world.advance(30)
    expect(world.newest.stage.kind).toBe('validating')
    isLocked = false
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
    expect({ checkCount, hookRuns: world.hookRuns }).toEqual({ checkCount: 1, hookRuns: ['tell'] })
  })

  it('that fail take a release back though that cannot be kept', async () => {
    const world = await steered(new World())
    world.hookFails = () => true
    await deploy(world, 'r2', { hooks: [hook('smoke', 'after', 'stepping', { onFailure: 'rollback' })] })
    await world.until(() => atStep(world, 0))
    world.faults.choose = (part) => (part === 'store' ? { kind: 'refused' } : null)
    await world.advance(10)
    // Nothing new is decided without the store: the step is not passed, and its hook not run.
    expect(world.hookRuns).toEqual([])
    world.faults.choose = (_, call) => (/hookEnded/.test(call) ? { kind: 'refused' } : null)
    await world.until(() => world.weight('r2') === 0, 60)
    expect(world.router.report.weights).toEqual({ r1: 100 })
  })
})
