import { describe, expect, it } from 'vitest'
import { AppError, fail, ok } from '../../../../src/base/index.ts'
import { type Deployment, type Validation } from '../../../../src/contract/index.ts'
import { LiveStore } from '../../../../src/engine/core/index.ts'
import {
  buildPlan,
  deploymentNews,
  DeploymentProjection,
  deploymentView,
  hasEnded,
  replay,
  toTell,
  type DeploymentEvent,
  type DeploymentState,
  type Told,
} from '../../../../src/engine/deployments/index.ts'
import { person } from '../../../support/person.ts'

const plan = buildPlan()
if (!plan.ok) throw plan.error
const requested: DeploymentEvent = {
  kind: 'requested',
  id: 'd1',
  service: 'shop',
  candidateReleaseId: 'r2',
  stableReleaseId: 'r1',
  plan: plan.value,
  by: person('anna'),
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
const paused: DeploymentEvent = { kind: 'paused', by: person('anna'), cause: 'person', reason: 'lunch' }
const aborted: DeploymentEvent = {
  kind: 'rollbackStarted',
  by: person('anna'),
  reason: 'no',
  isEmergency: false,
}

it('tells of each phase of a deployment once, shows its end for an hour, and forgets it then', async () => {
  const told: string[] = []
  const live = new LiveStore()
  const stored = new Map<string, Deployment>()
  const shown = new DeploymentProjection({
    live,
    notices: { post: ({ text }) => void told.push(text) },
    stores: {
      deployments: {
        find: async (id) => {
          const found = stored.get(id)
          return found ? ok(found) : fail(new AppError('NOT_FOUND', id))
        },
      },
    },
  })
  const seen = (...open: DeploymentState[]) => ({
    open,
    record: {
      name: 'shop',
      stableReleaseId: 'r1',
      instances: 1,
      automationStopped: null,
      scaling: null,
      endedEmergencyKey: null,
      revision: 1,
    },
    isCrowded: false,
  })
  shown.show('shop', seen(stateAfter()), 0)
  shown.show('shop', seen(stateAfter(paused)), 1000)
  shown.show('shop', seen(stateAfter(paused)), 2000)
  expect(told).toEqual(['shop: deployment of r2 started', 'shop: deployment of r2 is paused: lunch'])
  shown.show('cart', seen(), 3000)
  expect(live.get('deployment:d1')).toMatchObject({ phase: 'paused' })

  stored.set('d1', deploymentView(stateAfter(paused, aborted)))
  shown.show('shop', seen(), 3000)
  await Promise.resolve()
  await Promise.resolve()
  expect(live.get('deployment:d1')).toMatchObject({ phase: 'rolled_back' })
  expect(told.at(-1)).toBe('shop: r2 was rolled back: no')
  shown.show('shop', seen(), 2000 + 3_600_000)
  expect(live.get('deployment:d1')).toBeDefined()
  shown.show('shop', seen(), 2001 + 3_600_000)
  expect(live.get('deployment:d1')).toBeUndefined()
})

describe('recent events of a deployment', () => {
  const canPass: Validation = {
    canDeploy: true,
    results: [],
    passed: 0,
    failed: 0,
    warnings: 0,
    durationMs: 1,
  }
  const staged: DeploymentEvent[] = [
    { kind: 'begun', stableReleaseId: 'r1', stableInstances: 1 },
    { kind: 'validated', validation: canPass },
    { kind: 'baselineCaptured', baseline: null },
    { kind: 'candidateHealthy' },
  ]
  const toPromotion: DeploymentEvent[] = [
    { kind: 'weightReached', weight: 5 },
    paused,
    { kind: 'resumed', by: person('anna'), why: '' },
    { kind: 'stepPassed' },
    { kind: 'weightReached', weight: 25 },
    { kind: 'promotionDemanded', by: person('anna'), why: '' },
    { kind: 'candidateRaised' },
    { kind: 'handedOver' },
    { kind: 'warmthEnded' },
    { kind: 'oldStopped' },
  ]
  /** The texts of what is told after each of `more`, by its kind. */
  const toldAfter = (more: readonly DeploymentEvent[]) => {
    const events = [...staged, ...more]
    let before: Told | undefined
    return events.flatMap((event, i) => {
      const state = stateAfter(...events.slice(0, i + 1))
      const deployment = deploymentView(state)
      const now = toTell(deployment, hasEnded(state) ? null : state)
      const news = deploymentNews(deployment, before, now)
      before = now
      return news.map(({ text }) => `${event.kind}: ${text}`)
    })
  }

  it('says each move of traffic when it happens, and the end of a pause', () => {
    expect(toldAfter(toPromotion)).toEqual([
      'begun: shop: deployment of r2 started',
      'weightReached: shop: r2 gets 5% of traffic',
      'paused: shop: deployment of r2 is paused: lunch',
      'resumed: shop: deployment of r2 resumed',
      'weightReached: shop: r2 gets 25% of traffic',
      'handedOver: shop: r2 is the stable release and has all traffic',
      'oldStopped: shop: r1 has stopped: the deployment of r2 is complete',
    ])
  })

  it('says once that a release was rolled back, when its traffic has returned', () => {
    const goingBack: DeploymentEvent[] = [
      { kind: 'weightReached', weight: 5 },
      paused,
      aborted,
      { kind: 'trafficReturned' },
      { kind: 'candidateStopped' },
    ]
    expect(toldAfter(goingBack).slice(3)).toEqual([
      'trafficReturned: shop: r2 was rolled back, r1 has all traffic: no',
    ])
  })

  it('says nothing of traffic that moved before the engine started', () => {
    const state = stateAfter(...staged, ...toPromotion.slice(0, -2))
    const deployment = deploymentView(state)
    expect(deploymentNews(deployment, undefined, toTell(deployment, state))).toEqual([])
  })
})
