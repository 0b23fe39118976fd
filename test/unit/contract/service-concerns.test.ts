import { describe, expect, it } from 'vitest'
import { serviceConcerns, type Instance, type ServiceState } from '../../../src/contract/index.ts'

const nowMs = 1_000_000_000

const instance = (changes: Partial<Instance> = {}): Instance => ({
  id: 'i1',
  releaseId: 'r1',
  state: 'healthy',
  reason: '',
  pid: 1,
  port: 1,
  startedAtMs: 0,
  restartCount: 0,
  lastRestart: null,
  inFlight: 0,
  memoryBytes: null,
  ...changes,
})

const service = (changes: Partial<ServiceState> = {}): ServiceState => ({
  name: 'shop',
  origin: 'file',
  environment: 'production',
  target: 'edge',
  router: 'edge',
  address: '',
  stableReleaseId: 'r1',
  candidateReleaseId: null,
  deploymentId: null,
  weights: { r1: 100 },
  instances: [instance()],
  sli: {},
  automationStopped: null,
  maxErrorRatio: 0.01,
  trouble: '',
  revision: 1,
  updatedAtMs: nowMs,
  ...changes,
})

const failures = (errors: number, requests: number, windowMs = 60_000) => ({ errors, requests, windowMs })

const concerns = (changes: Partial<ServiceState>) => serviceConcerns(service(changes), nowMs)

describe('what concerns a person about a service', () => {
  it('is nothing while all is well', () => {
    expect(concerns({})).toEqual([])
    expect(concerns({ failures: failures(6, 600) })).toEqual([])
    expect(concerns({ failures: null })).toEqual([])
  })

  it('is worst where traffic has no healthy instance to go to, with what the instance says', () => {
    const down = instance({ state: 'down', reason: 'ended with code 1' })
    expect(concerns({ instances: [down], trouble: 'late' })[0]).toEqual({
      kind: 'no-healthy-instance',
      severity: 'critical',
      text: 'r1 has traffic and no healthy instance',
      detail: 'ended with code 1',
    })
  })

  it('is one of several instances that takes no requests', () => {
    const hurt = instance({ id: 'i2', state: 'unhealthy', reason: 'answered 503' })
    expect(concerns({ instances: [instance(), hurt] })).toEqual([
      {
        kind: 'instances-down',
        severity: 'warning',
        text: '1 of 2 instances of r1 takes no requests',
        detail: 'answered 503',
      },
    ])
  })

  it('is a stable release that fails more than the plans of the service allow, once enough was asked of it', () => {
    const text = (errors: number, requests: number, windowMs?: number) =>
      concerns({ failures: failures(errors, requests, windowMs) }).map((concern) => concern.text)
    expect(text(25, 600)).toEqual([
      'r1 fails 4.17 % of requests (25 of 600 in the last 60 s); the limit is 1 %',
    ])
    expect(text(104, 10_000)).toEqual([
      'r1 fails 1.04 % of requests (104 of 10000 in the last 60 s); the limit is 1 %',
    ])
    expect(text(50, 100, 285_000)).toEqual([
      'r1 fails 50 % of requests (50 of 100 in the last 5 min); the limit is 1 %',
    ])
    expect(concerns({ failures: failures(25, 600), maxErrorRatio: 0.05 })).toEqual([])
  })

  it('is a stable release of few requests that fails more of them than chance explains', () => {
    const isTold = (errors: number, requests: number) =>
      concerns({ failures: failures(errors, requests, 300_000) }).length > 0
    expect([isTold(4, 5), isTold(15, 30), isTold(5, 99)]).toEqual([true, true, true])
    expect([isTold(1, 1), isTold(3, 5), isTold(2, 99)]).toEqual([false, false, false])
  })

  it('is not what a candidate does: its deployment says that', () => {
    const sli = { windowMs: 10_000, requestsPerSecond: 100, errorRatio: 1, p50Ms: 1, p95Ms: 1, p99Ms: 1 }
    expect(concerns({ candidateReleaseId: 'r2', sli: { r2: { ...sli, inFlight: 0 } } })).toEqual([])
  })

  it('is an instance that was started again in the last ten minutes, and how often so far', () => {
    const lastRestart = { atMs: nowMs - 60_000, reason: 'uses 201 MB, above its limit of 200 MB' }
    expect(concerns({ instances: [instance({ restartCount: 6, lastRestart })] })).toEqual([
      {
        kind: 'restarts',
        severity: 'warning',
        text: 'an instance of r1 restarted, 6 times so far',
        detail: 'uses 201 MB, above its limit of 200 MB',
      },
    ])
    const old = { atMs: nowMs - 600_000, reason: 'ended' }
    expect(concerns({ instances: [instance({ restartCount: 6, lastRestart: old })] })).toEqual([])
  })

  it('is automation that waits for a person', () => {
    const stopped = { by: 'ann', atMs: 5, reason: 'emergency' }
    expect(concerns({ automationStopped: stopped })).toMatchObject([
      { kind: 'automation-stopped', detail: 'emergency' },
    ])
  })
})
