import { expect, it } from 'vitest'
import type { Deployment } from '../../../../src/contract/index.ts'
import { AppError, fail, LiveStore, ok } from '../../../../src/engine/core/index.ts'
import {
  buildPlan,
  deploymentView,
  replay,
  type DeploymentEvent,
  type DeploymentState,
} from '../../../../src/engine/deployments/index.ts'
import { LiveDeployments } from '../../../../src/engine/operations/index.ts'

const plan = buildPlan()
if (!plan.ok) throw plan.error
const requested: DeploymentEvent = {
  kind: 'requested',
  id: 'd1',
  service: 'shop',
  candidateReleaseId: 'r2',
  stableReleaseId: 'r1',
  plan: plan.value,
  by: 'anna',
  why: '',
  retryOf: '',
}
const stateAfter = (...events: DeploymentEvent[]): DeploymentState =>
  replay(
    [requested, ...events].map((event, i) => ({
      deploymentId: 'd1',
      seq: i + 1,
      atMs: 1000 * i,
      elapsedMs: 0,
      event,
    })),
  )
const paused: DeploymentEvent = { kind: 'paused', by: 'anna', cause: 'person', reason: 'lunch' }
const aborted: DeploymentEvent = { kind: 'rollbackStarted', by: 'anna', reason: 'no', isEmergency: false }

it('tells of each phase of a deployment once, shows its end for an hour, and forgets it then', async () => {
  const told: string[] = []
  const live = new LiveStore()
  const stored = new Map<string, Deployment>()
  const shown = new LiveDeployments({
    live,
    notices: { post: ({ text }) => void told.push(text) },
    store: {
      deployment: async (id) => {
        const found = stored.get(id)
        return found ? ok(found) : fail(new AppError('NOT_FOUND', id))
      },
    },
  })
  shown.show('shop', [stateAfter()], 0)
  shown.show('shop', [stateAfter(paused)], 1000)
  shown.show('shop', [stateAfter(paused)], 2000)
  expect(told).toEqual(['shop: deployment of r2 began', 'shop: deployment of r2 is paused: lunch'])
  shown.show('cart', [], 3000)
  expect(live.get('deployment:d1')).toMatchObject({ phase: 'paused' })

  stored.set('d1', deploymentView(stateAfter(paused, aborted)))
  shown.show('shop', [], 3000)
  await Promise.resolve()
  await Promise.resolve()
  expect(live.get('deployment:d1')).toMatchObject({ phase: 'rolled_back' })
  expect(told.at(-1)).toBe('shop: r2 was rolled back: no')
  shown.show('shop', [], 2000 + 3_600_000)
  expect(live.get('deployment:d1')).toBeDefined()
  shown.show('shop', [], 2001 + 3_600_000)
  expect(live.get('deployment:d1')).toBeUndefined()
})
