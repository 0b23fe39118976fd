import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../../src/contract/index.ts'
import { standingText } from '../../../../src/hosts/cli/operations/deployment-text.ts'
import { pairArgument, stepsArgument } from '../../../../src/hosts/cli/operations/parse.ts'
import { progressLines } from '../../../../src/hosts/cli/operations/progress.ts'
import {
  columns,
  harmless,
  limitText,
  ratioText,
  spanText,
} from '../../../../src/hosts/cli/operations/words.ts'
import { aDeployment } from '../../../ports/cli/scripted-operations.ts'

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

describe('pairs on the command line', () => {
  it('takes everything after the first = as the value, and keeps the ones before', () => {
    expect(pairArgument('B=x=y', { A: '1' })).toEqual({ A: '1', B: 'x=y' })
    expect(() => pairArgument('=x')).toThrow('NAME=VALUE')
  })
})

describe('the lines of progress', () => {
  const told = (before: Deployment | null, now: Deployment) => progressLines(before, now).join('\n')

  it('says a step, a judgement and a log entry once each', () => {
    const before = aDeployment()
    const judgement = { decision: 'continue' as const, text: 'r2 is as good as r1', findings: [], atMs: 1 }
    const entry = { atMs: 2, severity: 'info' as const, actor: 'engine', text: 'step 2 begins' }
    const now = aDeployment({ stepIndex: 1, weight: 50, judgement, log: [entry] })
    expect(progressLines(before, now).map((line) => line.slice(11))).toEqual([
      'step 2 begins',
      'stepping, step 2 of 2, 50 %',
      'continue: r2 is as good as r1',
    ])
    expect(progressLines(now, { ...now, revision: 9 })).toEqual([])
  })

  it.each([
    ['at step 2 of 2 (50 %)', { stepIndex: 1, weight: 50 }],
    ['while it took over (50 %)', { stepIndex: 2, weight: 50 }],
    ['after it had taken over (100 %)', { stepIndex: 2, weight: 100 }],
  ])('says how far it had come when it was taken back: %s', (text, reached) => {
    const now = aDeployment({ phase: 'rolled_back', weight: 0, stepIndex: 2, reached })
    expect(told(aDeployment(), now)).toContain(`rolled back ${text}`)
    expect(standingText({ ...now, reached: null })).toBe('rolled back')
  })

  it('does not repeat a reason that the log has given', () => {
    const entry = { atMs: 2, severity: 'info' as const, actor: 'ann', text: 'paused by ann' }
    expect(
      told(aDeployment(), aDeployment({ phase: 'paused', reason: 'paused by ann', log: [entry] })),
    ).toMatch(/^[^(]*$/)
    expect(told(aDeployment(), aDeployment({ phase: 'paused', reason: 'no traffic' }))).toContain(
      '(no traffic)',
    )
  })
})

describe('words', () => {
  it.each([
    [0.07, '7 %'],
    [0.0005, '0.05 %'],
    [0.55, '55 %'],
    [100, '10000 %'],
  ])('says the limit %d as it was written: %s', (ratio, text) => expect(limitText(ratio)).toBe(text))

  it.each([
    [0, '0 s'],
    [400, '400 ms'],
    [45_000, '45 s'],
    [125_000, '2 min 5 s'],
    [3_600_000, '1 h'],
    [90_061_000, '1 d 1 h'],
  ])('says %i ms as %s', (ms, text) => expect(spanText(ms)).toBe(text))

  it.each([
    [null, '-'],
    [0, '0 %'],
    [0.001, '0.1 %'],
    [0.0234, '2.34 %'],
    [0.5, '50 %'],
    [1, '100 %'],
  ])('says a share of %s as %s', (ratio, text) => expect(ratioText(ratio)).toBe(text))

  it('lets no control character of others through to the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        // eslint-disable-next-line no-control-regex
        expect(harmless(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }),
    )
  })

  it('lines up columns without trailing blanks', () => {
    expect(
      columns([
        ['a', 'bb', ''],
        ['ccc', 'd', 'e'],
      ]),
    ).toBe('a    bb\nccc  d   e\n')
  })
})
