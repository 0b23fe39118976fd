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

const sli = (errorRatio: number | null, requestsPerSecond = 10) => ({
  windowMs: 60_000,
  requestsPerSecond,
  errorRatio,
  p50Ms: 1,
  p95Ms: 1,
  p99Ms: 1,
  inFlight: 0,
})

const concerns = (changes: Partial<ServiceState>) => serviceConcerns(service(changes), nowMs)

describe('what concerns a person about a service', () => {
  it('is nothing while all is well', () => {
    expect(concerns({})).toEqual([])
    expect(concerns({ sli: { r1: sli(0.01) } })).toEqual([])
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
    const [concern] = concerns({ sli: { r1: sli(0.042) } })
    expect(concern?.text).toBe('r1 fails 4.2 % of requests; the limit is 1 %')
    expect(concerns({ sli: { r1: sli(0.0104) } })[0]?.text).toBe(
      'r1 fails 1.04 % of requests; the limit is 1 %',
    )
    expect(concerns({ sli: { r1: sli(0.042) }, maxErrorRatio: 0.05 })).toEqual([])
    expect(concerns({ sli: { r1: sli(1, 1) } })).toEqual([])
  })

  it('is not what a candidate does: its deployment says that', () => {
    expect(concerns({ candidateReleaseId: 'r2', sli: { r1: sli(0), r2: sli(1) } })).toEqual([])
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
