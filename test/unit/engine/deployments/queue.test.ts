import { expect, it } from 'vitest'
import {
  buildPlan,
  deploymentView,
  queuePlace,
  replay,
  type DeploymentState,
} from '../../../../src/engine/deployments/index.ts'
import { person } from '../../../support/person.ts'

function queued(id: string, candidateReleaseId: string): DeploymentState {
  const plan = buildPlan()
  if (!plan.ok) throw plan.error
  const about = { id, service: 'shop', candidateReleaseId, stableReleaseId: 'r1', plan: plan.value }
  const event = { kind: 'requested' as const, ...about, by: person('anna'), why: '', retryOf: '' }
  return replay([{ deploymentId: id, seq: 1, atMs: 0, elapsedMs: 0, event }])
}

it('says that a deployment waits for its turn only when it does', () => {
  const first = queued('d1', 'r2')
  const second = queued('d2', 'r3')
  const reason = (state: DeploymentState, isStopped = false, isCrowded = false) =>
    deploymentView(state, queuePlace(state, [first, second], { isStopped, isCrowded })).reason
  expect(reason(first)).toBe('r2 is about to start')
  expect(reason(second)).toBe('r3 is queued behind the deployment of r2')
  const promoted = { ...first, stage: { kind: 'warm' as const } } as DeploymentState
  const place = queuePlace(second, [promoted, second], { isStopped: false, isCrowded: false })
  expect(deploymentView(second, place).reason).toBe('r3 waits until r1 has stopped')
  expect(reason(first, false, true)).toContain('is queued until')
  expect(reason(first, true)).toBe('r2 waits until automation is resumed')
})
