import { describe, expect, it } from 'vitest'
import {
  addCounts,
  exitCodeOf,
  playwrightCounts,
  summaryLine,
  vitestCounts,
} from '../../../build/bootstrap/reports.mjs'
import { stages } from '../../../build/bootstrap/stages.mjs'
import { chooseStages, parseTestArguments } from '../../../build/bootstrap/test-arguments.mjs'

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((status) => ({ status })),
})
const vitestReport = (...testResults: object[]) => JSON.stringify({ testResults })

describe('what a run counts', () => {
  it('counts each test of vitest once', () => {
    const report = vitestReport(
      file('passed', 'passed', 'passed', 'pending'),
      file('failed', 'failed', 'passed'),
    )
    expect(vitestCounts(report, 1)).toEqual({ passed: 3, failed: 1, skipped: 1 })
  })

  it('counts a file that could not be loaded as a failure', () => {
    expect(vitestCounts(vitestReport(file('failed'), file('passed', 'passed')), 1)).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    })
  })

  it('believes a bad exit code over a good report', () => {
    expect(vitestCounts(vitestReport(file('passed', 'passed')), 1).failed).toBe(1)
    expect(playwrightCounts('{"stats":{"expected":2,"unexpected":0,"flaky":0,"skipped":0}}', 1).failed).toBe(
      1,
    )
  })

  it.each([null, '', '{"testRes', '[]'])('counts a runner that left %j as one failure', (text) => {
    expect(vitestCounts(text, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(playwrightCounts(text, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('counts a browser test that passed only when tried again as failed', () => {
    const report = '{"stats":{"expected":5,"unexpected":1,"flaky":1,"skipped":2}}'
    expect(playwrightCounts(report, 0)).toEqual({ passed: 5, failed: 2, skipped: 2 })
  })

  it('ends with the counts of all stages', () => {
    const total = addCounts([
      { passed: 5, failed: 0, skipped: 2 },
      { passed: 1, failed: 0, skipped: 0 },
    ])
    expect(summaryLine(total)).toBe('6 passed, 0 failed, 2 skipped')
    expect(exitCodeOf(total)).toBe(0)
  })

  it('fails when something failed and when nothing ran', () => {
    expect(exitCodeOf({ passed: 9, failed: 1, skipped: 0 })).toBe(1)
    expect(exitCodeOf({ passed: 0, failed: 0, skipped: 9 })).toBe(1)
  })
})

describe('the arguments of npm test', () => {
  const names = stages.map(({ name }) => name)
  const chosen = (...args: string[]) => {
    const parsed = parseTestArguments(args, names)
    if ('problem' in parsed) throw new Error(parsed.problem)
    return chooseStages(stages, parsed).map(({ name }) => name)
  }

  it('runs every stage but those on demand', () => {
    expect(chosen()).toEqual([
      'format',
      'lint',
      'types',
      'rules',
      'unit',
      'contract',
      'sim',
      'ports',
      'e2e',
      'shell',
    ])
  })

  it('runs the stages named, in the order of the list', () => {
    expect(chosen('--only', 'contract,unit')).toEqual(['unit', 'contract'])
    expect(chosen('--only=electron')).toEqual(['electron'])
  })

  it('runs the stage a path belongs to', () => {
    expect(chosen('test/unit/engine')).toEqual(['unit'])
    expect(chosen('test\\ports\\local.test.ts')).toEqual(['ports'])
  })

  it('looks in every test stage for a part of a name', () => {
    expect(chosen('transports')).toEqual(['unit', 'contract', 'sim', 'ports', 'e2e', 'shell'])
  })

  it.each([
    [['--only', 'units'], 'no stage "units"'],
    [['--only'], 'needs names'],
    [['--fast'], 'Unknown option --fast'],
  ])('refuses %j', (args, problem) => {
    expect(parseTestArguments(args, names)).toEqual({ problem: expect.stringContaining(problem) as string })
  })
})
