import { describe, expect, it } from 'vitest'
import { engineActor, callError, planOptionsSchema } from '../../../../src/contract/index.ts'
import { chartRange } from '../../../../src/renderer/screens/deployments/chart-range.ts'
import { refusalText } from '../../../../src/renderer/domain/deployments/give-command.ts'
import { historyFilter } from '../../../../src/renderer/screens/deployments/history-filter.ts'
import {
  choices,
  draftMistake,
  newDraft,
  newStep,
  optionsOf,
} from '../../../../src/renderer/screens/deployments/plan-draft.ts'
import { madeDeployment } from './made.ts'
import { person } from '../../../support/person.ts'

describe('a refused command', () => {
  it('says who did what first when somebody was faster', () => {
    const seen = madeDeployment()
    const now = madeDeployment({
      revision: 5,
      log: [{ atMs: 0, severity: 'warning', actor: person('jon'), text: 'jon paused it' }],
    })
    expect(refusalText(callError('CONFLICT'), seen, now)).toMatch(
      /^Not done: jon acted first, .*jon paused it/,
    )
  })

  it('names the person, also when the judge has spoken since', () => {
    const now = madeDeployment({
      log: [
        { atMs: 0, severity: 'warning', actor: person('jon'), text: 'jon paused it' },
        { atMs: 1, severity: 'info', actor: engineActor, text: 'r2 stays within every limit' },
      ],
    })
    expect(refusalText(callError('CONFLICT'), madeDeployment(), now)).toContain('jon acted first')
  })

  it('does not blame anybody when nothing new is known', () => {
    const seen = madeDeployment()
    expect(refusalText(callError('CONFLICT'), seen, seen)).toMatch(
      /^Not done\. The current state does not allow this/,
    )
  })

  it('says what to do about any other failure', () => {
    const busy = Object.assign(new Error('The store is being closed'), { code: 'UNAVAILABLE' })
    expect(refusalText(busy, madeDeployment(), undefined)).toMatch(
      /^The store is being closed\. .*then try again/,
    )
  })

  it('does not claim that nothing was done when the answer was lost', () => {
    for (const code of ['UNAVAILABLE', 'TIMEOUT'] as const)
      expect(refusalText(callError(code), madeDeployment(), undefined)).toMatch(/unknown whether/)
  })
})

describe('the draft of a plan', () => {
  it.each(choices)('makes options that the contract takes: %s', (choice) => {
    expect(planOptionsSchema.safeParse(optionsOf({ ...newDraft(), choice })).error).toBeUndefined()
  })

  it('leaves to the configuration what the person did not choose', () => {
    expect(optionsOf(newDraft())).toEqual({})
  })

  it('hands on every limit that was typed, and success as the other side of errors', () => {
    const typed = {
      ...newDraft(),
      maxTimeMinutes: 90,
      maxErrorPercent: 3,
      maxSlowerPercent: 50,
      leastRequests: 20,
      onFailure: 'pause',
      onInconclusive: 'rollback',
    } as const
    expect(planOptionsSchema.parse(optionsOf(typed))).toEqual({
      maxTimeMs: 5_400_000,
      limits: { maxErrorRatio: 0.03, minSuccessRatio: 0.97, maxLatencyRegression: 0.5, minSamples: 20 },
      onFailure: 'pause',
      onInconclusive: 'rollback',
    })
    expect(draftMistake(typed)).toBe('')
    for (const wrong of [{ maxTimeMinutes: 0 }, { maxErrorPercent: 101 }, { leastRequests: 1.5 }])
      expect(draftMistake({ ...newDraft(), ...wrong })).not.toBe('')
  })

  it('names the step that is wrong', () => {
    const steps = [10, 50, 25].map((weight) => newStep(weight))
    expect(draftMistake({ ...newDraft(), choice: 'own', steps })).toContain('Step 3')
    expect(draftMistake({ ...newDraft(), choice: 'balanced', steps })).toBe('')
    const empty = [{ ...newStep(10), weight: null }]
    expect(draftMistake({ ...newDraft(), choice: 'own', steps: empty })).toContain('Step 1')
  })
})

describe('an address', () => {
  it('names filters of the history; what makes no sense is left out', () => {
    expect(historyFilter(new URLSearchParams('service=checkout&phase=promoted&q= slow '))).toEqual({
      service: 'checkout',
      phases: ['promoted'],
      text: 'slow',
    })
    expect(historyFilter(new URLSearchParams('service=../x&phase=nothing&q='))).toEqual({})
  })

  it('names a stretch of the charts, kept within what there is', () => {
    const whole = { fromMs: 100_000, toMs: 200_000 }
    expect(chartRange(new URLSearchParams('from=1&to=150000'), whole)).toEqual({
      fromMs: 100_000,
      toMs: 150_000,
    })
    for (const query of ['', 'from=x&to=y', 'from=190000&to=150000', 'from=1&to=2'])
      expect(chartRange(new URLSearchParams(query), whole)).toEqual(whole)
  })
})
