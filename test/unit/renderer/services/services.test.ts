import { describe, expect, it } from 'vitest'
import { trafficShares, type ServiceState } from '../../../../src/contract/index.ts'
import { needsOf } from '../../../../src/renderer/screens/overview/needs.ts'
import { servicesIn, severityOf } from '../../../../src/renderer/state/service-records.ts'
import { madeDeployment, madeService } from '../deployments/made.ts'
import { person } from '../../../support/person.ts'

const down = (releaseId: string) => ({
  ...madeService().instances[0],
  id: `${releaseId}-x`,
  releaseId,
  state: 'down' as const,
})
const withInstances = (...instances: object[]) => madeService({ instances: instances as never })

describe('how a service is', () => {
  it('is critical when a release with traffic has no healthy instance', () => {
    expect(severityOf(withInstances(down('r42')))).toBe('critical')
  })

  it('needs looking at when only some of its instances are down, when it is stopped, and in trouble', () => {
    expect(severityOf(withInstances(madeService().instances[0] as object, down('r42')))).toBe('warning')
    expect(severityOf(madeService({ trouble: 'the router is silent' }))).toBe('warning')
    expect(severityOf(madeService({ automationStopped: { by: person('jon'), atMs: 0, reason: 'x' } }))).toBe(
      'warning',
    )
  })

  it('is well when what is down has no traffic', () => {
    expect(severityOf(withInstances(madeService().instances[0] as object, down('r41')))).toBe('ok')
  })

  it('decides the order: worst first, then what is being deployed, then by name', () => {
    const records = Object.fromEntries(
      [
        madeService({ name: 'b' }),
        madeService({ name: 'a' }),
        madeService({ name: 'moving', deploymentId: 'd' }),
        madeService({ name: 'z', instances: [] }),
      ].map((service) => [`service:${service.name}`, service]),
    ) as Record<`service:${string}`, ServiceState>
    expect(servicesIn(records).map(({ name }) => name)).toEqual(['z', 'moving', 'a', 'b'])
  })

  it('puts a service that was never deployed after all others', () => {
    const records = {
      'service:a': madeService({ name: 'a', stableReleaseId: null, weights: {}, instances: [] }),
      'service:b': madeService({ name: 'b' }),
    }
    expect(servicesIn(records).map(({ name }) => name)).toEqual(['b', 'a'])
  })

  it('stands among what needs a person, with one way to begin', () => {
    const needs = needsOf(
      {
        'service:checkout': madeService({
          automationStopped: { by: person('jon'), atMs: 0, reason: 'errors' },
        }),
        'deployment:d1': madeDeployment({ phase: 'paused', reason: 'no traffic to judge on' }),
      },
      [],
      0,
    )
    expect(needs.map(({ title, action }) => [title, action.href])).toEqual([
      ['checkout: automation is stopped', '/services/checkout'],
      ['checkout: r43 is paused at 10%', '/deployments/d1'],
    ])
  })
})

describe('the split of traffic', () => {
  it('is ordered by role, then by name, also of releases that are called like numbers', () => {
    const shares = trafficShares({
      weights: { '9': 20, '10': 30, '2024': 20, constructor: 15, r1: 15 },
      stableReleaseId: 'r1',
      candidateReleaseId: 'constructor',
    })
    expect(shares.map(({ releaseId }) => releaseId)).toEqual(['r1', 'constructor', '9', '10', '2024'])
  })

  it('names the stable release first and shows what should not be there', () => {
    const shares = trafficShares({
      weights: { old: 5, r43: 10, r42: 85, gone: 0 },
      stableReleaseId: 'r42',
      candidateReleaseId: 'r43',
    })
    expect(shares.map(({ releaseId, role }) => `${releaseId} ${role ?? 'neither'}`)).toEqual([
      'r42 stable',
      'r43 candidate',
      'old neither',
    ])
  })
})
