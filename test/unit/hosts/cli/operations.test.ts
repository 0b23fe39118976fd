import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readableLog, terminalText, type Deployment } from '../../../../src/contract/index.ts'
import { planText, standingText } from '../../../../src/hosts/cli/operations/deployment-text.ts'
import { pairArgument, stepsArgument } from '../../../../src/hosts/cli/operations/parse.ts'
import { outcomeText, progressLines } from '../../../../src/hosts/cli/operations/progress.ts'
import type { Session } from '../../../../src/hosts/cli/operations/session.ts'
import { steer } from '../../../../src/hosts/cli/operations/steer.ts'
import { timesIn } from '../../../../src/hosts/cli/times.ts'
import { aDeployment } from '../../../ports/cli/scripted-operations.ts'
import { person } from '../../../support/person.ts'

describe('steps on the command line', () => {
  it('reads weight, hold and gate', () => {
    expect(stepsArgument('5:30s, 25%:2m:gate,100:0s')).toEqual([
      { weight: 5, holdMs: 30_000, analysis: true, gate: false },
      { weight: 25, holdMs: 120_000, analysis: true, gate: true },
      { weight: 100, holdMs: 0, analysis: false, gate: false },
    ])
  })

  it.each(['', '5', '5:1', '101:1m', '-1:1m', '5:1m:later', '5:1m:gate:gate', 'x:1m', '5:1m,'])(
    'refuses %j',
    (text) => expect(() => stepsArgument(text)).toThrow('write weight:hold'),
  )
})

it('says how much a step may weigh', () => {
  expect(() => stepsArgument('150:1m')).toThrow('at most 100%')
})

describe('an order on a deployment', () => {
  const orderOn = async (deployment: Deployment, promote: () => Promise<Deployment>) => {
    const told: string[] = []
    const err = { write: (text: string) => void told.push(text), width: 200 }
    const engine = { deployments: { get: () => Promise.resolve(deployment), promote } }
    const session = { engine, err, out: err, person: { isThere: false }, isJson: false } as unknown as Session
    const ended = await steer('promote', 'd1', { why: '', isConfirmed: false }, session).catch(String)
    return { ended, told: told.join('') }
  }

  it('claims its effect only when it was accepted', async () => {
    const over = aDeployment({ phase: 'rolled_back', endedAtMs: 1 })
    const refused = await orderOn(over, () => Promise.reject(new Error('d1 has ended')))
    expect(refused).toEqual({ ended: 'Error: d1 has ended', told: '' })
    const accepted = await orderOn(aDeployment(), () => Promise.resolve(aDeployment()))
    expect(accepted.told).toContain('r2 gets all traffic')
  })
})

describe('pairs on the command line', () => {
  it('takes everything after the first = as the value, and keeps the ones before', () => {
    expect(pairArgument('B=x=y', { A: '1' })).toEqual({ A: '1', B: 'x=y' })
    expect(() => pairArgument('=x')).toThrow('NAME=VALUE')
  })
})

const times = timesIn('utc', () => 0)

describe('the lines of progress', () => {
  const told = (before: Deployment | null, now: Deployment) => progressLines(before, now, times).join('\n')

  it('says a step, a judgement and a log entry once each', () => {
    const before = aDeployment()
    const judgement = { decision: 'continue' as const, text: 'r2 is as good as r1', findings: [], atMs: 1 }
    const entry = { atMs: 2, severity: 'info' as const, actor: person('engine'), text: 'step 2 begins' }
    const now = aDeployment({ stepIndex: 1, weight: 50, judgement, log: [entry] })
    expect(progressLines(before, now, times).map((line) => line.slice(10))).toEqual([
      'continue: r2 is as good as r1',
      'step 2 begins',
      'in canary, step 2 of 2, 50%',
    ])
    expect(progressLines(now, { ...now, revision: 9 }, times)).toEqual([])
  })

  it.each([
    ['at step 2 of 2 (50%)', { stepIndex: 1, weight: 50 }],
    ['during promotion (50%)', { stepIndex: 2, weight: 50 }],
    ['after promotion (100%)', { stepIndex: 2, weight: 100 }],
  ])('says how far it had come when it was taken back: %s', (text, reached) => {
    const now = aDeployment({ phase: 'rolled_back', weight: 0, stepIndex: 2, reached })
    expect(told(aDeployment(), now)).toContain(`rolled back ${text}`)
    expect(standingText({ ...now, reached: null })).toBe('rolled back')
  })

  it('knows no canary and no steps in an undo', () => {
    const undo = aDeployment({ weight: 100, stepIndex: 0 })
    expect(standingText({ ...undo, plan: { ...undo.plan, isUndo: true } })).toBe(
      `returning to ${undo.candidateReleaseId}, 100%`,
    )
  })

  it('says the reason of a pause and of a rollback once, in the order of time', () => {
    const entry = (atMs: number, text: string) => ({
      atMs,
      severity: 'info' as const,
      actor: person('engine'),
      text,
    })
    const few = entry(2, 'r2 had 37 requests')
    const judgement = { decision: 'inconclusive' as const, text: few.text, findings: [], atMs: 2 }
    const judged = aDeployment({ judgement, log: [entry(1, 'step 1 begins'), few] })
    const paused = aDeployment({
      ...judged,
      phase: 'paused',
      reason: few.text,
      log: [...judged.log, { ...few, atMs: 3 }],
    })
    const all = told(aDeployment(), paused)
    expect(all.match(/r2 had 37 requests/g)).toHaveLength(1)
    expect(told(judged, paused)).not.toContain('r2 had 37 requests')
    const back = entry(5, `Roll back to r1: ${few.text}`)
    expect(readableLog([back, entry(4, 'anna resumed it'), few, few]).map(({ text }) => text)).toEqual([
      'r2 had 37 requests',
      'anna resumed it',
      'Roll back to r1',
    ])
  })

  it('does not repeat a reason that the log has given', () => {
    const entry = { atMs: 2, severity: 'info' as const, actor: person('ann'), text: 'paused by ann' }
    expect(
      told(aDeployment(), aDeployment({ phase: 'paused', reason: 'paused by ann', log: [entry] })),
    ).toMatch(/^[^(]*$/)
    expect(told(aDeployment(), aDeployment({ phase: 'paused', reason: 'no traffic' }))).toContain(
      '(no traffic)',
    )
  })
})

describe('the outcome of a watched deployment', () => {
  it.each([
    [{ phase: 'promoted' }, 'Promoted: r2 is the stable release of shop'],
    [{ phase: 'promoting', isHandedOver: true }, 'Promoted: r2 is the stable release of shop'],
    [{ phase: 'promoting', isHandedOver: false }, ''],
    [{ phase: 'stepping' }, ''],
    [{ phase: 'rolled_back' }, 'Rolled back: r1 is the stable release of shop'],
    [{ phase: 'rolled_back', stableReleaseId: null }, 'Rolled back: shop has no stable release'],
    [{ phase: 'failed' }, 'Failed: r1 is the stable release of shop'],
    [{ phase: 'paused' }, 'Paused: r2 is waiting for your decision'],
  ] as const)('is one line: %j', (changes, text) => {
    expect(outcomeText(aDeployment(changes))).toBe(text)
  })
})

describe('words', () => {
  it('lets no control character of others through to the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        // eslint-disable-next-line no-control-regex
        expect(terminalText(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }),
    )
  })
})

it('marks the steps of a plan that a person passed over as skipped', () => {
  const { plan } = aDeployment()
  const lines = planText(plan, null, { width: 200 }, { skippedSteps: [1] }).split('\n')
  expect(lines[1]).not.toContain('skipped')
  expect(lines[2]).toMatch(/, skipped$/)
})
