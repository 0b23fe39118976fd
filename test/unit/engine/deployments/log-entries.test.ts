import { describe, expect, it } from 'vitest'
import { logEntryFor } from '../../../../src/engine/deployments/log-entries.ts'
import type { DeploymentState } from '../../../../src/engine/deployments/state.ts'
import { person } from '../../../support/person.ts'

describe('the log of a deployment', () => {
  const textOf = (stableReleaseId: string | null, change = {}) =>
    logEntryFor(
      null,
      { candidateReleaseId: 'r2', stableReleaseId } as DeploymentState,
      {
        seq: 1,
        atMs: 1,
        event: { kind: 'warmthEnded', ...change },
      } as never,
    )?.text

  it('says when the former release is not needed any more, and nothing where there was none', () => {
    expect(textOf('r1')).toBe('r1 is no longer needed and stops')
    expect(textOf(null)).toBeUndefined()
  })

  it('says who ended the warmth of the former release before its time, and what that costs', () => {
    expect(textOf('r1', { by: person('anna'), forReleaseId: 'r3' })).toBe(
      'anna deployed r3: r1 is no longer kept warm and stops; returning to it takes an undo',
    )
  })

  it('names the required checks that failed', () => {
    const result = (name: string, critical: boolean) => ({ name, critical, outcome: 'failed' as const })
    const text = (...results: ReturnType<typeof result>[]) =>
      logEntryFor(
        null,
        { candidateReleaseId: 'r2', plan: {} } as DeploymentState,
        {
          seq: 1,
          atMs: 1,
          event: { kind: 'validated', validation: { canDeploy: false, results, failed: results.length } },
        } as never,
      )?.text
    expect(text(result('smoke', true))).toBe('A required check failed: smoke')
    expect(text(result('smoke', true), result('schema', true), result('lint', false))).toBe(
      '2 required checks failed: smoke, schema; 1 optional check failed too',
    )
  })
})
