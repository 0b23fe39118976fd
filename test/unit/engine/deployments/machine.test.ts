import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Instance, Judgement, Plan } from '../../../../src/contract/index.ts'
import {
  apply,
  buildPlan,
  decide,
  deploymentView,
  hasEnded,
  obey,
  replay,
  type Command,
  type DeploymentEvent,
  type DeploymentState,
  type Facts,
  type ServiceRecord,
  type StoredEvent,
} from '../../../../src/engine/deployments/index.ts'
import { person } from '../../../support/person.ts'

const record: ServiceRecord = {
  name: 'shop',
  stableReleaseId: 'r1',
  instances: 2,
  automationStopped: null,
  scaling: null,
  endedEmergencyKey: null,
  revision: 1,
}

function planOf(over: Partial<Plan> = {}): Plan {
  const plan = buildPlan({
    steps: [
      { weight: 10, holdMs: 30_000, analysis: true, gate: false },
      { weight: 50, holdMs: 30_000, analysis: true, gate: true },
    ],
  })
  if (!plan.ok) throw plan.error
  return { ...plan.value, ...over }
}

/** A deployment that grows by events, and what was stored of it. */
class Story {
  readonly events: StoredEvent[] = []
  state: DeploymentState

  constructor(plan = planOf()) {
    this.state = this.#next(null, {
      kind: 'requested',
      id: 'd1',
      service: 'shop',
      candidateReleaseId: 'r2',
      stableReleaseId: 'r1',
      plan,
      by: person('anna'),
      why: '',
      retryOf: '',
    })
  }

  happen(event: DeploymentEvent, elapsedMs = 0): void {
    this.state = this.#next(this.state, event, elapsedMs)
  }

  /** Everything that follows from `facts`. */
  look(facts: Facts): void {
    for (let i = 0; i < 30; i++) {
      const event = decide(this.state, record, facts)
      if (!event) return
      this.happen(event)
    }
    throw new Error('one look led to more and more')
  }

  #next(state: DeploymentState | null, event: DeploymentEvent, elapsedMs = 0): DeploymentState {
    const stored = {
      deploymentId: 'd1',
      seq: this.events.length + 1,
      atMs: 1000 * this.events.length,
      elapsedMs,
      event,
    }
    this.events.push(stored)
    return apply(state, stored)
  }
}

const instance = (releaseId: string, state: Instance['state']): Instance => ({
  id: `${releaseId}-1`,
  releaseId,
  state,
  reason: '',
  address: { kind: 'process', port: 1, pid: 1 },
  startedAtMs: 0,
  restartCount: 0,
  lastRestart: null,
  inFlight: 0,
  memoryBytes: null,
})

const anyFacts: fc.Arbitrary<Facts> = fc.record({
  router: fc.option(
    fc.record({
      weights: fc.constantFrom({ r1: 100 }, { r1: 90, r2: 10 }, { r1: 50, r2: 50 }, { r2: 100 }, {}),
      fallbackReleaseId: fc.constantFrom('r1', 'r2', null),
      revision: fc.nat(50),
      key: fc.constantFrom('', 'd1:return:4', 'd1:shifting:2', 'd0:return:1'),
      emergency: fc.constant(null),
    }),
  ),
  target: fc.option(
    fc.record({
      instances: fc.array(
        fc
          .tuple(
            fc.constantFrom('r1', 'r2'),
            fc.constantFrom('starting', 'healthy', 'unhealthy', 'draining', 'down'),
          )
          .map(([releaseId, state]) => instance(releaseId, state)),
        { maxLength: 5 },
      ),
      wanted: fc.constantFrom<Record<string, number>>({ r1: 2 }, { r1: 2, r2: 1 }, { r2: 1 }, {}),
    }),
  ),
  deadForMs: fc.constantFrom(0, 0, 0, 4000, 6000),
  steadyForMs: fc.constantFrom(0, 20_000),
  missingRoom: fc.constantFrom('', '', 'cpu of web-1 is 90% full'),
  baseline: fc.constant(null),
})

const anyEvent: fc.Arbitrary<DeploymentEvent> = fc.oneof(
  fc.constant<DeploymentEvent>({ kind: 'begun', stableReleaseId: 'r1', stableInstances: 2 }),
  fc.boolean().map((canDeploy): DeploymentEvent => ({
    kind: 'validated',
    validation: { canDeploy, results: [], passed: 1, failed: canDeploy ? 0 : 1, warnings: 0, durationMs: 1 },
  })),
  fc
    .constantFrom<Judgement['decision'][]>('continue', 'promote', 'rollback', 'inconclusive')
    .map((decision): DeploymentEvent => ({
      kind: 'judged',
      judgement: { decision, text: 'so it is', findings: [], atMs: 0 },
    })),
  fc.constant<DeploymentEvent>({ kind: 'watched' }),
)

const anyCommand: fc.Arbitrary<Command> = fc.record({
  kind: fc.constantFrom('pause', 'resume', 'skip', 'promote', 'abort'),
  by: fc.constant(person('ben')),
  why: fc.constant(''),
  expectedRevision: fc.constant(null),
})

type Act = { facts: Facts } | { event: DeploymentEvent; elapsedMs: number } | { command: Command }

const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: anyFacts.map((facts) => ({ facts })) },
    { weight: 3, arbitrary: fc.record({ event: anyEvent, elapsedMs: fc.constantFrom(0, 1000, 31_000) }) },
    { weight: 2, arbitrary: anyCommand.map((command) => ({ command })) },
  ),
  { maxLength: 40 },
)

/** Only at its place does each event come from the loop. */
const isInPlace = (state: DeploymentState, event: DeploymentEvent): boolean =>
  event.kind === 'begun'
    ? state.stage.kind === 'queued'
    : event.kind === 'validated'
      ? state.stage.kind === 'validating'
      : event.kind !== 'judged' || state.stage.kind === 'holding'

function play(
  story: Story,
  all: readonly Act[],
  after: (before: DeploymentState) => void = () => undefined,
): void {
  for (const act of all) {
    if (hasEnded(story.state)) return
    const before = story.state
    if ('facts' in act) story.look(act.facts)
    else if ('command' in act) {
      const event = obey(story.state, act.command)
      if (event.ok) story.happen(event.value)
    } else if (isInPlace(story.state, act.event)) story.happen(act.event, act.elapsedMs)
    after(before)
  }
}

const anyPlan = fc
  .record({
    onFailure: fc.constantFrom('rollback' as const, 'pause' as const),
    onInconclusive: fc.constantFrom('rollback' as const, 'pause' as const, 'promote' as const),
  })
  .map(planOf)

/** The world as a rollback needs it: the router obeys, the target has stopped and explained the candidate. */
const obedient: Facts = {
  router: { weights: { r1: 100 }, fallbackReleaseId: 'r1', revision: 9, key: '', emergency: null },
  target: { instances: [instance('r1', 'healthy')], wanted: { r1: 2 } },
  deadForMs: 0,
  steadyForMs: 20_000,
  missingRoom: '',
  baseline: null,
  failure: { instances: [], lines: [] },
}

describe('a deployment', () => {
  it('speaks of no old release when a first one takes over', () => {
    const { state } = new Story()
    for (const kind of ['warm', 'retiring'] as const)
      expect(deploymentView({ ...state, stableReleaseId: null, stage: { kind } }).reason).toBe(
        'r2 has all traffic',
      )
  })

  it('is what its events say, after any restart', () => {
    fc.assert(
      fc.property(anyPlan, acts, (plan, all) => {
        const story = new Story(plan)
        play(story, all)
        const kept = JSON.parse(JSON.stringify(story.events)) as StoredEvent[]
        expect(JSON.parse(JSON.stringify(replay(kept)))).toEqual(JSON.parse(JSON.stringify(story.state)))
      }),
    )
  })

  it('can be aborted wherever it is, unless it goes back already or the old release stops, and then ends at 0%', () => {
    fc.assert(
      fc.property(anyPlan, acts, (plan, all) => {
        const story = new Story(plan)
        play(story, all)
        const { state } = story
        const isOver = hasEnded(state) || state.stage.kind === 'retiring'
        if (isOver) return
        const abort = obey(state, { kind: 'abort', by: person('ben'), why: '', expectedRevision: null })
        expect(abort.ok).toBe(state.rollback === null)
        if (abort.ok) story.happen(abort.value)
        story.look(obedient)
        expect(['rolled_back', 'failed']).toContain(story.state.stage.kind)
        expect(story.state.weight).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it('never goes forward again once it goes back', () => {
    fc.assert(
      fc.property(anyPlan, acts, (plan, all) => {
        const story = new Story(plan)
        play(story, all, (before) => {
          if (before.rollback)
            expect(['returning', 'stopping', 'rolled_back', 'failed']).toContain(story.state.stage.kind)
        })
      }),
      { numRuns: 300 },
    )
  })

  it('never moves while it is paused, but back', () => {
    fc.assert(
      fc.property(anyPlan, fc.array(anyFacts, { maxLength: 10 }), acts, (plan, looks, all) => {
        const story = new Story(plan)
        play(story, all)
        if (!story.state.pause) return
        const { stage } = story.state
        for (const facts of looks) {
          if (hasEnded(story.state)) return
          story.look(facts)
          if (!story.state.rollback) expect(story.state.stage).toEqual(stage)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('always has a phase, a reason and a line in its log for whoever looks', () => {
    fc.assert(
      fc.property(anyPlan, acts, (plan, all) => {
        const story = new Story(plan)
        play(story, all, () => {
          const view = deploymentView(story.state)
          expect(view.reason).not.toBe('')
          expect(view.log.length).toBeGreaterThan(0)
          expect(view.endedAtMs === null).toBe(!['promoted', 'rolled_back', 'failed'].includes(view.phase))
        })
      }),
    )
  })

  it('tells of the checks that failed though it goes on', () => {
    const story = new Story()
    const headroom = {
      name: 'headroom',
      critical: false,
      outcome: 'failed' as const,
      text: '',
      output: '',
      durationMs: 1,
      attempts: 1,
    }
    const validation = {
      canDeploy: true,
      results: [headroom],
      passed: 4,
      failed: 1,
      warnings: 2,
      durationMs: 1,
    }
    story.happen({ kind: 'begun', stableReleaseId: 'r1', stableInstances: 2 })
    story.happen({ kind: 'validated', validation })
    expect(story.state.log.at(-1)).toMatchObject({
      severity: 'warning',
      text: '4 checks passed, 2 with a warning, 1 failed: headroom (optional)',
    })
  })

  it('takes no event out of its order, and none after its end', () => {
    const story = new Story()
    const [first] = story.events
    if (!first) throw new Error('no first event')
    expect(() => apply(story.state, { ...first, seq: 3 })).toThrow('does not follow')
    const abort = obey(story.state, { kind: 'abort', by: person('ben'), why: '', expectedRevision: null })
    if (!abort.ok) throw abort.error
    story.happen(abort.value)
    expect(() => story.happen({ kind: 'watched' })).toThrow('has ended')
  })

  it('refuses commands that no longer fit, with the reason', () => {
    const story = new Story()
    const ask = (kind: Command['kind'], expectedRevision: number | null = null) =>
      obey(story.state, { kind, by: person('ben'), why: '', expectedRevision })
    expect(ask('resume')).toMatchObject({
      ok: false,
      error: { code: 'CONFLICT', message: 'd1 is not paused' },
    })
    expect(ask('skip')).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(ask('pause', 7)).toMatchObject({
      ok: false,
      error: { code: 'CONFLICT', details: { deploymentId: 'd1', revision: 1 } },
    })
    expect(ask('pause', 1).ok).toBe(true)
  })

  it('holds or takes back at once what automation alone has moved on since it was seen, and sends nothing on', () => {
    const story = new Story()
    const ask = (kind: Command['kind'], expectedRevision: number | null) =>
      obey(story.state, { kind, by: person('ben'), why: '', expectedRevision })
    story.happen({ kind: 'begun', stableReleaseId: 'r1', stableInstances: 2 })
    story.happen({ kind: 'baselineCaptured', baseline: null })
    story.happen({ kind: 'candidateHealthy' })
    const seen = story.state.revision
    story.happen({ kind: 'weightReached', weight: 10 })
    expect(story.state.revision).toBeGreaterThan(seen)
    expect(ask('promote', seen)).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(ask('skip', seen)).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(ask('pause', seen).ok).toBe(true)
    expect(ask('abort', seen).ok).toBe(true)
  })

  it('keeps which steps a person has cut short or passed over: nobody has observed them to their end', () => {
    const order = { by: person('ada'), why: '' }
    const story = new Story()
    story.happen({ kind: 'begun', stableReleaseId: 'r1', stableInstances: 2 })
    story.happen({ kind: 'baselineCaptured', baseline: null })
    story.happen({ kind: 'candidateHealthy' })
    story.happen({ kind: 'weightReached', weight: 10 })
    const skipped = (event: DeploymentEvent) =>
      deploymentView(
        apply(story.state, { deploymentId: 'd1', seq: story.state.seq + 1, atMs: 0, elapsedMs: 0, event }),
      ).skippedSteps
    expect(skipped({ kind: 'stepSkipped', ...order })).toEqual([0])
    expect(skipped({ kind: 'promotionDemanded', ...order })).toEqual([0, 1])
    story.happen({ kind: 'stepPassed' })
    expect(skipped({ kind: 'promotionDemanded', ...order })).toEqual([1])
    story.happen({ kind: 'weightReached', weight: 50 })
    story.happen({ kind: 'stepPassed' })
    expect(skipped({ kind: 'promotionDemanded', ...order })).toEqual([])
  })

  it('takes nothing back on what another person has changed since it was seen', () => {
    const story = new Story()
    story.happen({ kind: 'begun', stableReleaseId: 'r1', stableInstances: 2 })
    const seen = story.state.revision
    story.happen({ kind: 'promotionDemanded', by: person('ada'), why: 'seen enough' })
    const abort = (expectedRevision: number) =>
      obey(story.state, { kind: 'abort', by: person('ben'), why: '', expectedRevision })
    expect(abort(seen)).toMatchObject({ ok: false, error: { code: 'CONFLICT' } })
    expect(abort(story.state.revision).ok).toBe(true)
  })
})
