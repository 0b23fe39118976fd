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
      text: 'shop: release r2, after its rollback to r1. Reason: the check smoke failed',
    })
  })

  it('names no rollback where the release never had traffic', () => {
    expect(told({ ending: 'failed' })).toEqual({
      outcome: 'failed',
      text: 'shop: release r2, after its failed deployment. Reason: the check smoke failed',
    })
  })
})
