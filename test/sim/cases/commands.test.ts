import { describe, expect, it } from 'vitest'
import { ok } from '../../../src/base/index.ts'
import { auditText, engineActor, type Actor } from '../../../src/contract/index.ts'
import { must, serviceName, World } from '../world/world.ts'
import { answered, asking, atStep, deploy, deploying, engineOf, hasEnded, steered, step } from './asking.ts'
import { person } from '../../support/person.ts'

/** Places in a deployment that a person may find it at. */
const places: [name: string, isThere: (world: World) => boolean][] = [
  ['during the checks', (world) => world.newest.stage.kind === 'validating'],
  ['while it starts', (world) => world.newest.stage.kind === 'staging'],
  ['at the first step', (world) => atStep(world, 0)],
  ['at the second step', (world) => atStep(world, 1)],
  ['while the old release is warm', (world) => world.newest.stage.kind === 'warm'],
]

describe('a person', () => {
  it.each(places)('aborts %s, retries, and promotes without further steps (4)', async (_, isThere) => {
    const world = await steered(new World())
    world.checksTakeMs = 4000
    const id = await deploy(world, 'r2')
    await world.until(() => isThere(world))
    expect((await asking(world, 'abort')).ok).toBe(true)
    await world.until(hasEnded(world))
    await world.advance(3)
    expect(world.newest.stage.kind).toBe('rolled_back')
    expect(world.weight('r2')).toBe(0)
    expect(world.unrest()).toEqual([])
    const retried = must(
      await answered(
        world,
        engineOf(world).retry(id, {
          by: person('ben'),
          why: 'once more',
          expectedRevision: null,
          supersedes: null,
        }),
      ),
    )
    expect(world.newest).toMatchObject({ id: retried, retryOf: id })
    await world.until(() => atStep(world, 0))
    expect((await asking(world, 'promote')).ok).toBe(true)
    await world.until(hasEnded(world), 60)
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('orders a deployment again or undoes it: its plan names the judge of now, whoever judged it before', async () => {
    const world = await steered(new World())
    const judgeNow = () => world.newest.plan.judge
    const id = await deploy(world, 'r2')
    expect(judgeNow()).toEqual({ name: 'threshold', version: 2 })
    await world.until(() => atStep(world, 0))
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    await world.advance(3)

    world.judge = { ...world.judge, version: 3 }
    const order = { by: person('ben'), why: '', expectedRevision: null, supersedes: null }
    must(await answered(world, engineOf(world).retry(id, order)))
    expect(judgeNow()).toEqual({ name: 'threshold', version: 3 })
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')

    world.judge = { ...world.judge, name: 'other', version: 1 }
    must(await answered(world, engineOf(world).undo({ ...order, service: serviceName })))
    expect(judgeNow()).toEqual({ name: 'other', version: 1 })
  })

  it.each(places.slice(0, 4))(
    'promotes %s: without steps, but never before all copies are healthy',
    async (_, isThere) => {
      const world = await steered(new World())
      world.checksTakeMs = 4000
      world.behave('r2', { readyAfterS: 8 })
      await deploy(world, 'r2', { startAtOnce: 1 })
      await world.until(() => isThere(world))
      await asking(world, 'promote')
      await world.until(() => {
        if (world.weight('r2') > 10 && world.weight('r2') < 50) throw new Error('a step was made')
        return world.weight('r2') === 100
      })
      expect(world.target.healthyCount('r2')).toBe(2)
      await world.until(hasEnded(world))
      expect(world.newest.stage.kind).toBe('promoted')
    },
  )

  it('pauses for longer than deadline and greatest time without a failure (7)', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { progressDeadlineMs: 20_000, maxTimeMs: 120_000 })
    await world.until(() => atStep(world, 0))
    await asking(world, 'pause')
    await world.advance(3600)
    expect(world.newest.pause?.cause).toBe('person')
    await asking(world, 'resume')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('sees a candidate fail that is not healthy by the deadline, paused time not counted (8)', async () => {
    const world = await steered(new World())
    world.behave('r2', { readyAfterS: null })
    await deploy(world, 'r2', { progressDeadlineMs: 20_000 })
    await world.until(() => world.newest.stage.kind === 'staging')
    await asking(world, 'pause')
    await world.advance(300)
    expect(world.newest.rollback).toBeNull()
    await asking(world, 'resume')
    await world.until(hasEnded(world), 60)
    expect(world.newest.stage.kind).toBe('failed')
    expect(world.newest.rollback?.reason).toContain('0 of 2 instances of r2 became healthy within 20 s')
    await world.advance(3)
    expect(world.unrest()).toEqual([])
  })

  it('gets a rollback, not an endless canary, when it takes longer than it may', async () => {
    const world = await steered(new World())
    world.judge = {
      name: 'undecided',
      version: 1,
      evaluate: async ({ atMs }) =>
        ok({ memory: {}, judgement: { decision: 'continue', text: 'a little more', findings: [], atMs } }),
    }
    await deploy(world, 'r2', { maxTimeMs: 60_000 })
    await world.until(hasEnded(world), 120)
    expect(world.newest.rollback?.reason).toContain('longer than 1 min')
  })

  it('pauses a change of weight that the router has not taken yet', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    world.faults.choose = (_, call) => (call.startsWith('router.set') ? { kind: 'refused' } : null)
    await world.until(() => world.newest.stage.kind === 'shifting')
    await asking(world, 'pause')
    world.faults.choose = () => null
    await world.advance(30)
    expect(world.weight('r2')).toBe(10)
    await asking(world, 'resume')
    await world.until(() => atStep(world, 1))
    expect(world.weight('r2')).toBe(50)
  })

  it('skips a step, and only a step', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2', { steps: [step(10, 30), step(50, 30)] })
    await world.until(() => world.newest.stage.kind === 'staging')
    expect(await asking(world, 'skip')).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    await world.until(() => atStep(world, 0))
    await asking(world, 'skip')
    await world.until(() => atStep(world, 1), 5)
  })

  it.each([
    ['at a step', (world: World) => atStep(world, 1), { stepIndex: 1, weight: 50 }],
    ['after promotion', (world: World) => world.newest.stage.kind === 'warm', { stepIndex: 2, weight: 100 }],
    ['before any traffic', (world: World) => world.newest.stage.kind === 'staging', null],
  ])('finds in the history how far it had come that was aborted %s', async (_, isThere, reached) => {
    const world = await steered(new World())
    const id = await deploy(world, 'r2')
    await world.until(() => isThere(world))
    await asking(world, 'abort')
    await world.until(hasEnded(world))
    expect(world.store.deployments.get(id)).toMatchObject({ phase: 'rolled_back', weight: 0, reached })
  })

  it('aborts to exactly 0 % however many copies run (9)', async () => {
    const world = await steered(new World(), 1)
    await deploy(world, 'r2', { instances: 5 })
    await world.until(() => atStep(world, 1))
    await asking(world, 'abort')
    await world.until(() => world.newest.stage.kind === 'stopping' || world.newest.endedAtMs !== null)
    expect(world.router.report.weights).toEqual({ r1: 100 })
  })

  it('cannot undo unknowingly what another one has done', async () => {
    const world = await steered(new World())
    const id = await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    const seen = world.newest.revision
    must(
      await answered(
        world,
        engineOf(world).command(id, { kind: 'pause', by: person('anna'), why: '', expectedRevision: seen }),
      ),
    )
    const late = await answered(
      world,
      engineOf(world).command(id, { kind: 'abort', by: person('ben'), why: '', expectedRevision: seen }),
    )
    expect(late).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(world.newest.pause?.by.name).toBe('anna')
  })

  it('deploys nothing over what another one deploys, unless that is named', async () => {
    const world = await steered(new World())
    const id = await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    const ask = (supersedes: string | null) =>
      answered(
        world,
        engineOf(world).deploy({
          service: serviceName,
          releaseId: 'r3',
          options: [],
          by: person('ben'),
          why: '',
          expectedRevision: null,
          supersedes,
        }),
      )
    for (const supersedes of [null, 'd-of-yesterday']) {
      const refused = await ask(supersedes)
      expect(refused).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
      expect(refused.ok ? '' : refused.error.message).toContain(`anna is deploying r2 (${id})`)
    }
    expect(world.newest.rollback).toBeNull()
    must(await ask(id))
    await world.until(() => world.weight('r2') === 0)
    expect(world.newest).toMatchObject({ candidateReleaseId: 'r3', createdBy: person('ben') })
  })

  it('undoes nothing that another one has undone already: that would bring the bad release back', async () => {
    const world = await steered(new World())
    for (const id of ['r2', 'r3']) {
      await deploy(world, id)
      await world.until(hasEnded(world))
    }
    const seen = world.record.revision
    const undo = (by: Actor) =>
      answered(
        world,
        engineOf(world).undo({ service: serviceName, by, why: '', expectedRevision: seen, supersedes: null }),
      )
    must(await undo(person('anna')))
    expect(world.newest.plan.isUndo).toBe(true)
    await world.until(hasEnded(world))
    expect(await undo(person('ben'))).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(world.record.stableReleaseId).toBe('r2')
  })

  it('undoes to a release three promotions back', async () => {
    const world = await steered(new World())
    for (const id of ['r2', 'r3', 'r4']) {
      await deploy(world, id)
      await world.until(hasEnded(world))
    }
    must(
      await answered(
        world,
        engineOf(world).undo({
          service: serviceName,
          releaseId: 'r1',
          by: person('ben'),
          why: '',
          expectedRevision: null,
          supersedes: null,
        }),
      ),
    )
    await world.until(hasEnded(world))
    await world.advance(3)
    expect(world.record.stableReleaseId).toBe('r1')
    expect(world.unrest()).toEqual([])
  })

  it('resumes automation only as it was seen to be stopped', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    const seen = world.record.revision
    void engineOf(world).emergency('all', person('anna'), 'smoke')
    await world.until(() => world.record.automationStopped !== null)
    const resume = (revision: number) =>
      answered(world, engineOf(world).resumeAutomation(serviceName, person('ben'), '', revision))
    expect(await resume(seen)).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect((await resume(world.record.revision)).ok).toBe(true)
  })

  it('may look for as long as a hold takes: judgements alone do not outdate what was seen', async () => {
    const world = await steered(new World())
    const id = await deploy(world, 'r2', { steps: [step(10, 60)] })
    await world.until(() => atStep(world, 0))
    const seen = world.newest.revision
    await world.advance(30)
    const asked = engineOf(world).command(id, {
      kind: 'pause',
      by: person('anna'),
      why: '',
      expectedRevision: seen,
    })
    expect((await answered(world, asked)).ok).toBe(true)
  })

  it('deploys at the same moment as another: one of them wins (25)', async () => {
    const world = await steered(new World())
    const seen = world.record.revision
    const controller = engineOf(world)
    const ask = (releaseId: string) =>
      controller.deploy({
        service: serviceName,
        releaseId,
        options: [],
        by: person('x'),
        why: '',
        expectedRevision: seen,
        supersedes: null,
      })
    const answers = await Promise.all([answered(world, ask('r2')), answered(world, ask('r2'))])
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    expect(answers.find(({ ok }) => !ok)).toMatchObject({ error: { code: 'CONFLICT' } })
    expect(world.store.open()).toHaveLength(1)
  })

  it('undoes a promotion while the old release is warm within a moment, without a start', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => world.newest.stage.kind === 'warm')
    const undone = answered(
      world,
      engineOf(world).undo({
        service: serviceName,
        by: person('ben'),
        why: 'odd',
        expectedRevision: null,
        supersedes: null,
      }),
    )
    must(await undone)
    await world.until(() => world.weight('r1') === 100, 3)
    await world.until(hasEnded(world))
    expect(world.record.stableReleaseId).toBe('r1')
  })

  it('undoes to a release of history: no steps, but no traffic before it is healthy (10)', async () => {
    const world = await steered(new World())
    for (const id of ['r2', 'r3']) {
      await deploy(world, id)
      await world.until(hasEnded(world))
    }
    world.behave('r1', { readyAfterS: 15 })
    must(
      await answered(
        world,
        engineOf(world).undo({
          service: serviceName,
          releaseId: 'r1',
          by: person('ben'),
          why: 'odd',
          expectedRevision: null,
          supersedes: null,
        }),
      ),
    )
    await world.until(() => {
      if (world.weight('r1') > 0 && world.target.healthyCount('r1') < 2) throw new Error('traffic to nothing')
      return world.weight('r1') === 100
    })
    await world.until(hasEnded(world))
    expect(world.record.stableReleaseId).toBe('r1')
  })

  it('undoes without naming anything to the release that was stable before', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    must(
      await answered(
        world,
        engineOf(world).undo({
          service: serviceName,
          by: person('ben'),
          why: '',
          expectedRevision: null,
          supersedes: null,
        }),
      ),
    )
    await world.until(hasEnded(world))
    expect(world.record.stableReleaseId).toBe('r1')
  })

  it('reads which check forbids a release, not only that one does', async () => {
    const world = await steered(new World())
    world.checksPass = false
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('failed')
    expect(world.newest.rollback?.reason).toContain('the check artifact failed')
    const entry = world.store.audit.at(-1)
    expect(entry).toMatchObject({ actor: engineActor, action: 'deployments.fail' })
    expect(entry && auditText(entry)).toBe('failed to deploy r2')
    expect(entry?.why).toContain('the check artifact failed')
  })

  it('is told clearly, before traffic moves, that a release is not known any more (24)', async () => {
    const world = await steered(new World())
    const answer = await answered(world, deploying(engineOf(world), 'r9'))
    expect(answer).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } })
    expect(world.router.report.weights).toEqual({ r1: 100 })
  })

  it('reads every action of persons and of the engine in the audit log', async () => {
    const world = await steered(new World())
    world.behave('r2', { errorRatio: 0.2 })
    await deploy(world, 'r2')
    await world.until(hasEnded(world))
    await deploy(world, 'r3')
    await world.until(() => atStep(world, 0))
    await asking(world, 'pause')
    await asking(world, 'abort')
    expect(world.store.audit.map(({ actor, action }) => `${actor.name} ${action}`)).toEqual([
      'anna deployments.request',
      'pilothouse deployments.shift',
      'pilothouse deployments.rollback',
      'anna deployments.request',
      'pilothouse deployments.shift',
      'ben deployments.pause',
      'ben deployments.abort',
    ])
  })
  it('holds a deployment that waits for its turn: it does not begin before somebody lets it go on', async () => {
    const world = await steered(new World())
    await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    await deploy(world, 'r3')
    expect(world.newest.stage.kind).toBe('queued')
    await asking(world, 'pause')
    await world.until(() => world.store.open().length === 1)
    await world.advance(60)
    expect(world.newest).toMatchObject({
      stage: { kind: 'queued' },
      pause: { cause: 'person', by: person('ben') },
    })
    expect(world.router.report.weights).toEqual({ r1: 100 })
    await asking(world, 'resume')
    await world.until(hasEnded(world))
    expect(world.newest.stage.kind).toBe('promoted')
  })

  it('is obeyed by an engine that has only just started and has read nothing yet', async () => {
    const world = await steered(new World())
    const id = await deploy(world, 'r2')
    await world.until(() => atStep(world, 0))
    const asked = world
      .start()
      .command(id, { kind: 'pause', by: person('ben'), why: '', expectedRevision: null })
    must(await answered(world, asked))
    expect(world.newest.pause?.by.name).toBe('ben')
  })

  it('undoes at once what is still warm, also on an engine that has only just started', async () => {
    const world = await steered(new World())
    const id = await deploy(world, 'r2')
    await world.until(() => world.newest.stage.kind === 'warm')
    const seen = { expectedRevision: world.record.revision, supersedes: null }
    const undone = world.start().undo({ service: serviceName, by: person('ben'), why: 'odd', ...seen })
    expect(must(await answered(world, undone))).toBe(id)
    await world.until(() => world.weight('r1') === 100, 3)
  })
})
