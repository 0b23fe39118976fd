import { describe, expect, it } from 'vitest'
import { payloadOf } from '../../../../src/adapters/hooks/payload.ts'
import type { HookContext } from '../../../../src/engine/deployments/index.ts'

const context: HookContext = {
  key: 'd1:hook:0:',
  deploymentId: 'd1',
  service: 'shop',
  candidateReleaseId: 'r2',
  stableReleaseId: 'r1',
  phase: 'rolling_back',
  when: 'after',
  stepIndex: null,
  weight: 0,
  ending: 'rolled_back',
  reason: 'the check smoke failed',
  atMs: 0,
}

const told = (change: Partial<HookContext>) => {
  const body = '{"outcome": "{{outcome}}", "text": "{{text}}"}'
  const posted = payloadOf(
    { kind: 'webhook', url: 'http://a.example', body },
    { ...context, ...change },
    null,
  )
  return JSON.parse(posted) as unknown
}

describe('what a webhook is told of an ending', () => {
  it('names a rollback and where it led', () => {
    expect(told({})).toEqual({
      outcome: 'rolled_back',
      text: 'shop: r2 was rolled back to r1. Reason: the check smoke failed',
    })
  })

  it('names no rollback where the release never had traffic', () => {
    expect(told({ ending: 'failed' })).toEqual({
      outcome: 'failed',
      text: 'shop: the deployment of r2 failed before it had traffic. Reason: the check smoke failed',
    })
  })

  it.each([
    [{ phase: 'validating', when: 'after' }, 'shop: the checks of r2 have finished.'],
    [{ phase: 'staging', when: 'before' }, 'shop: instances of r2 are starting.'],
    [
      { phase: 'stepping', when: 'after', stepIndex: 1, weight: 7.5 },
      'shop: step 2 of r2 is over; it has 7.5% of the traffic.',
    ],
    [{ phase: 'promoting', when: 'after' }, 'shop: r2 is promoted and has all traffic.'],
  ] as const)('says in a sentence what happened', (change, text) => {
    expect(told({ ...change, ending: null, reason: '' })).toMatchObject({ text })
  })
})
