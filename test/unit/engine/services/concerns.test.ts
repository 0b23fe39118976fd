import { describe, expect, it } from 'vitest'
import type { Instance, ServiceState } from '../../../../src/contract/index.ts'
import { serviceConcerns } from '../../../../src/engine/services/index.ts'
import { person } from '../../../support/person.ts'

const nowMs = 1_000_000_000

const instance = (changes: Partial<Instance> = {}): Instance => ({
  id: 'i1',
  releaseId: 'r1',
  state: 'healthy',
  reason: '',
  address: { kind: 'process', port: 1, pid: 1 },
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
  concerns: [],
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

  it('is that all clients give up, though every instance is healthy and no request fails', () => {
    expect(concerns({ failures: { ...failures(0, 0, 10_000), abandoned: 40 } })).toMatchObject([
      {
        kind: 'abandoned',
        severity: 'critical',
        text: 'clients gave up on 100% of requests (40 of 40 in the last 10 s) to r1',
      },
    ])
  })

  it('is that many clients give up, and not that some do', () => {
    const left = (abandoned: number, requests: number) =>
      concerns({ failures: { ...failures(0, requests - abandoned), abandoned } }).map(
        ({ kind, severity }) => `${severity} ${kind}`,
      )
    expect(left(20, 200)).toEqual([])
    expect(left(4, 8)).toEqual([])
    expect(left(80, 200)).toEqual(['warning abandoned'])
    expect(left(120, 200)).toEqual(['critical abandoned'])
  })

  it('is that changes are lost if the edge restarts, while its disk takes nothing', () => {
    const keepTrouble = 'The edge state cannot be written: ENOSPC.'
    expect(concerns({ keepTrouble })).toEqual([
      {
        kind: 'not-kept',
        severity: 'warning',
        text: 'changes are lost if the edge restarts',
        detail: keepTrouble,
        sinceMs: nowMs,
      },
    ])
  })

  it('is that a release runs otherwise than the file says, with what to do', () => {
    expect(concerns({ changedReleaseIds: ['r1', 'r2'] })).toEqual([
      {
        kind: 'release-changed',
        severity: 'warning',
        text: 'r1 runs with its settings from before the configuration file changed',
        detail: expect.stringContaining('give the release a new name there and deploy it') as string,
        sinceMs: nowMs,
      },
    ])
    // What does not run changes nothing for anybody.
    expect(concerns({ changedReleaseIds: ['r2'] })).toEqual([])
  })

  it('is that its settings are refused, worse while it has no traffic under earlier ones', () => {
    const refusal = 'Cannot listen on 127.0.0.1:80: another program uses port 80 (EADDRINUSE)'
    const refused = { kind: 'refused', text: 'its settings were rejected', detail: refusal, sinceMs: nowMs }
    expect(concerns({ refusal })).toEqual([{ ...refused, severity: 'warning' }])
    expect(concerns({ refusal, weights: {}, stableReleaseId: null, instances: [] })).toEqual([
      { ...refused, severity: 'critical' },
    ])
  })

  it('is that it does not listen, with the reason', () => {
    const listenTrouble = 'Cannot listen on 127.0.0.1:80: another program uses port 80 (EADDRINUSE)'
    expect(concerns({ address: 'http://127.0.0.1:80', listenTrouble })).toEqual([
      {
        kind: 'not-listening',
        severity: 'critical',
        text: 'is not listening on http://127.0.0.1:80',
        detail: listenTrouble,
        sinceMs: nowMs,
      },
    ])
  })

  it('is no restart that a person has asked for', () => {
    const lastRestart = { atMs: nowMs, reason: 'restarted by ann', isPlanned: true }
    expect(concerns({ instances: [instance({ restartCount: 1, lastRestart })] })).toEqual([])
  })

  it('is worst where the router sends no release any traffic, but not while the router is silent', () => {
    expect(concerns({ weights: {} })[0]).toMatchObject({ kind: 'no-traffic', severity: 'critical' })
    expect(concerns({ weights: {}, trouble: 'the router is silent' }).map(({ kind }) => kind)).toEqual([
      'trouble',
    ])
    expect(concerns({ weights: {}, stableReleaseId: null })).toEqual([])
  })

  it('is worst where traffic has no healthy instance to go to, with what the instance says', () => {
    const down = instance({ state: 'down', reason: 'ended with code 1' })
    expect(concerns({ instances: [down], trouble: 'late' })[0]).toEqual({
      kind: 'no-healthy-instance',
      severity: 'critical',
      text: 'r1 has traffic but no healthy instance',
      detail: 'ended with code 1',
      sinceMs: nowMs,
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
        sinceMs: nowMs,
      },
    ])
  })

  it('is a stable release that fails more than the plans of the service allow, once enough was asked of it', () => {
    const text = (errors: number, requests: number, windowMs?: number) =>
      concerns({ failures: failures(errors, requests, windowMs) }).map((concern) => concern.text)
    expect(text(25, 600)).toEqual(['r1 fails 4.2% of requests (25 of 600 in the last 60 s), limit 1%'])
    expect(text(104, 10_000)).toEqual([
      'r1 fails 1.04% of requests (104 of 10000 in the last 60 s), limit 1%',
    ])
    expect(text(50, 100, 285_000)).toEqual([
      'r1 fails 50% of requests (50 of 100 in the last 5 min), limit 1%',
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
        sinceMs: nowMs,
      },
    ])
    const old = { atMs: nowMs - 600_000, reason: 'ended' }
    expect(concerns({ instances: [instance({ restartCount: 6, lastRestart: old })] })).toEqual([])
  })

  it('is automation that waits for a person', () => {
    const stopped = { by: person('ann'), atMs: 5, reason: 'emergency' }
    expect(concerns({ automationStopped: stopped })).toMatchObject([
      { kind: 'automation-stopped', detail: 'emergency', sinceMs: 5 },
    ])
  })

  it('is critical where most requests fail, and then stands first', () => {
    const [first] = concerns({ failures: failures(80, 100), trouble: 'late' })
    expect(first).toMatchObject({ kind: 'errors', severity: 'critical' })
    expect(concerns({ failures: failures(40, 100) })[0]?.severity).toBe('warning')
  })

  it('keeps its start from one look to the next', () => {
    const troubled = service({ trouble: 'the router does not answer' })
    const first = serviceConcerns(troubled, nowMs)
    expect(serviceConcerns(troubled, nowMs + 60_000, first)[0]?.sinceMs).toBe(nowMs)
  })
})
