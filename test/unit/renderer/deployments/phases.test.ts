import { describe, expect, it } from 'vitest'
import {
  deploymentPhases,
  phaseText,
  type Concern,
  type ServiceState,
} from '../../../../src/contract/index.ts'
import { planBeside, undoPlan } from '../../../../src/engine/deployments/index.ts'
import { offersFor } from '../../../../src/renderer/domain/deployments/commands.ts'
import {
  presentConcern,
  presentConcerns,
} from '../../../../src/renderer/domain/deployments/present-concern.ts'
import { phaseStrip } from '../../../../src/renderer/domain/deployments/phases.ts'
import { madeDeployment, madeService } from './made.ts'

const states = (change: Parameters<typeof madeDeployment>[0], nowMs = 61_000) =>
  phaseStrip(madeDeployment(change), nowMs).map(({ state }) => state)

const checked = (canDeploy: boolean) => ({
  canDeploy,
  results: [],
  passed: canDeploy ? 1 : 0,
  failed: canDeploy ? 0 : 1,
  warnings: 0,
  durationMs: 1,
})

describe('the strip of a deployment', () => {
  it('shows the present step with how long it has held of how long', () => {
    const strip = phaseStrip(madeDeployment(), 61_000)
    expect(strip.map(({ state }) => state)).toEqual(['done', 'done', 'now', 'ahead', 'ahead', 'ahead'])
    expect(strip[2]?.detail).toBe('1:00 of 5:00')
  })

  it('of a first release has no steps, for they are skipped', () => {
    const plan = planBeside(null, madeDeployment().plan)
    const first = { plan, stableReleaseId: null, stepStartedAtMs: null, stepIndex: 0 }
    const strip = phaseStrip(
      madeDeployment({ ...first, phase: 'staging', validation: checked(true) }),
      61_000,
    )
    expect(strip.map(({ key }) => key)).toEqual(['checks', 'start', 'end'])
    expect(states({ ...first, phase: 'staging' })).toEqual(['done', 'now', 'ahead'])
    expect(states({ ...first, phase: 'promoting', stepIndex: 1 })).toEqual(['done', 'done', 'now'])
    expect(states({ ...first, phase: 'promoted', stepIndex: 1 })).toEqual(['done', 'done', 'done'])
  })

  it('counts no hold of a step that waits to begin', () => {
    const strip = phaseStrip(madeDeployment({ weight: 0 }), 61_000)
    expect(strip[2]).toMatchObject({ state: 'now', detail: 'holds 5\u00a0min' })
  })

  it('counts down how long the old release of a promotion is kept warm, and calls it promoted', () => {
    const warm = madeDeployment({
      phase: 'promoting',
      isHandedOver: true,
      keptWarmUntilMs: 600_000,
      stepStartedAtMs: null,
      stepIndex: 3,
      weight: 100,
    })
    expect(phaseStrip(warm, 108_000).at(-1)?.detail).toBe('r42 kept warm, 8:12 left')
    expect(phaseText(warm, 108_000)).toBe('promoted; r42 kept warm, 8:12 left')
    expect(phaseText(warm, 700_000)).toBe('promoted; r42 kept warm, 0:00 left')
    expect(phaseText({ ...warm, isHandedOver: false, keptWarmUntilMs: null }, 0)).toBe('promoting')
  })

  it('says what a hold waits for once it is over', () => {
    expect(phaseStrip(madeDeployment(), 400_000)[2]?.detail).toBe('held 5:00, waiting for judgment')
  })

  it('does not count the time of a pause as held, and says when a gate waits for a person', () => {
    const at = (pauseCause: 'gate' | 'person') =>
      phaseStrip(madeDeployment({ phase: 'paused', pauseCause }), 400_000)[2]?.detail
    expect(at('gate')).toBe('waits for approval')
    expect(at('person')).toBe('paused')
  })

  it.each([
    [
      'checks while it is checked',
      { phase: 'validating', stepStartedAtMs: null } as const,
      ['now', 'ahead', 'ahead', 'ahead', 'ahead', 'ahead'],
    ],
    [
      'the start while the candidate becomes healthy',
      { phase: 'staging', stepStartedAtMs: null } as const,
      ['done', 'now', 'ahead', 'ahead', 'ahead', 'ahead'],
    ],
    [
      'the step it is paused in',
      { phase: 'paused', stepIndex: 1 } as const,
      ['done', 'done', 'done', 'now', 'ahead', 'ahead'],
    ],
    [
      'the end once promoted',
      { phase: 'promoted', stepIndex: 3, stepStartedAtMs: null } as const,
      ['done', 'done', 'done', 'done', 'done', 'done'],
    ],
    [
      'steps that a person passed over as skipped, not as done',
      { phase: 'promoted' as const, stepIndex: 3, stepStartedAtMs: null, skippedSteps: [1, 2] },
      ['done', 'done', 'done', 'skipped', 'skipped', 'done'],
    ],
    [
      'the steps up to the one that it was taken back from',
      {
        phase: 'rolled_back',
        stepIndex: 3,
        stepStartedAtMs: null,
        reached: { stepIndex: 1, weight: 25 },
      } as const,
      ['done', 'done', 'done', 'broken', 'ahead', 'broken'],
    ],
    [
      'no step as reached where it was taken back before any traffic',
      { phase: 'rolled_back', stepIndex: 0, stepStartedAtMs: null, reached: null } as const,
      ['done', 'undone', 'ahead', 'ahead', 'ahead', 'broken'],
    ],
    [
      'no step as passed after it went back under an earlier version',
      { phase: 'rolled_back', stepIndex: 3, stepStartedAtMs: null } as const,
      ['done', 'done', 'undone', 'undone', 'undone', 'broken'],
    ],
    [
      'broken checks when one that is critical failed',
      { phase: 'failed', stepStartedAtMs: null, validation: checked(false) } as const,
      ['broken', 'ahead', 'ahead', 'ahead', 'ahead', 'ahead'],
    ],
    [
      'a broken start when the candidate never became healthy',
      { phase: 'failed', stepStartedAtMs: null, validation: checked(true) } as const,
      ['done', 'broken', 'ahead', 'ahead', 'ahead', 'ahead'],
    ],
  ])('shows %s', (_what, change, expected) => {
    expect(states(change)).toEqual(expected)
  })
})

describe('what can be done to a deployment', () => {
  it('names target and effect of every dangerous action', () => {
    for (const phase of deploymentPhases) {
      for (const offer of offersFor(madeDeployment({ phase }))) {
        expect(offer.effect, `${phase} ${offer.command}`).toContain('checkout')
        if (offer.isDangerous) expect(offer.effect).toMatch(/r4[23]/)
      }
    }
  })

  it('asks before a step begins that waited for a person, and names its share', () => {
    const atGate = madeDeployment({ phase: 'paused', pauseCause: 'gate', stepIndex: 1, weight: 10 })
    const [first, ...others] = offersFor(atGate)
    expect(first).toMatchObject({ command: 'resume', label: 'Continue to 25%…', isDangerous: true })
    expect(first?.effect).toContain('from 10% to 25%')
    expect(others.map(({ command }) => command)).toEqual(['promote', 'abort'])
  })

  it('offers the way back from every phase that has one', () => {
    const commands = (phase: (typeof deploymentPhases)[number]) =>
      offersFor(madeDeployment({ phase })).map(({ command }) => command)
    for (const phase of ['validating', 'staging', 'stepping', 'paused', 'promoting'] as const)
      expect(commands(phase).at(-1)).toBe('abort')
    expect(commands('promoted')).toContain('undo')
    expect(commands('rolling_back')).toEqual([])
  })
})

describe('what concerns a promoted release now', () => {
  const errors: Concern = { kind: 'errors', severity: 'critical', text: 'r43 fails', detail: '', sinceMs: 0 }
  const stopped: Concern = { ...errors, kind: 'automation-stopped', text: 'automation is stopped' }
  const service = madeService({ stableReleaseId: 'r43', concerns: [stopped, errors] })
  const promoted = madeDeployment({ phase: 'promoted' })

  it('shows on its deployment while it has the traffic, and not once another release has', () => {
    expect(presentConcern(promoted, service)).toBe(errors)
    expect(presentConcern({ ...promoted, phase: 'promoting', isHandedOver: true }, service)).toBe(errors)
    expect(presentConcern(promoted, { ...service, stableReleaseId: 'r44' })).toBeUndefined()
    expect(presentConcern({ ...promoted, phase: 'rolled_back' }, service)).toBeUndefined()
  })

  it('shows in a list on the newest deployment of the release alone', () => {
    const list = [{ ...promoted, id: 'd2' }, promoted]
    expect([...presentConcerns(list, [service]).keys()]).toEqual(['d2'])
  })
})

it('says before it is deployed again that the release that is still kept warm stops', () => {
  const wayBack = { kind: 'warm' as const, from: 'r44', to: 'r42', weight: 100, deploymentId: 'd2', text: '' }
  const effect = (of?: ServiceState) => offersFor(madeDeployment({ phase: 'rolled_back' }), of)[0]?.effect
  expect(effect(madeService({ wayBack }))).toMatch(
    /checks\. r42 is still kept warm and stops now\. .* takes an undo/,
  )
  expect(effect(madeService())).toMatch(/checks\.$/)
})

it('calls an undo so, also while traffic moves: it has no canary', () => {
  const { plan } = madeDeployment()
  const undo = madeDeployment({ plan: undoPlan(plan) })
  expect(phaseText(undo, 0)).toBe('undoing')
})
