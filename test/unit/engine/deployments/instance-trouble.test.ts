import { describe, expect, it } from 'vitest'
import type { Instance } from '../../../../src/contract/index.ts'
import { failedInstances, failuresAfter } from '../../../../src/engine/deployments/instance-trouble.ts'

const instance = (id: string, change: Partial<Instance> = {}): Instance => ({
  id,
  releaseId: 'r2',
  state: 'healthy',
  reason: '',
  address: { kind: 'process', port: 1, pid: 1 },
  startedAtMs: 0,
  restartCount: 0,
  lastRestart: null,
  inFlight: 0,
  memoryBytes: null,
  ...change,
})
const report = (...instances: Instance[]) => ({ instances, wanted: { r2: instances.length } })
const refused = { state: 'starting', reason: 'its health check failed: ECONNREFUSED' } as const
const crashedAt = (atMs: number) => ({
  restartCount: 1,
  lastRestart: { atMs, reason: `exited with code ${atMs}` },
})
const said = (failed: readonly { id: string; reason: string }[]) =>
  failed.map(({ id, reason }) => `${id} ${reason}`)

describe('why instances failed', () => {
  it('is the newest reason: what fails now, then the newest restart', () => {
    const failed = failedInstances(
      'r2',
      report(
        instance('a', crashedAt(5)),
        instance('b', crashedAt(9)),
        instance('c', { state: 'unhealthy', reason: 'its health check answered 500' }),
        instance('d', {
          ...crashedAt(1),
          state: 'down',
          reason: 'exited with code 7; starts again in 2.0 s',
        }),
      ),
    )
    expect(said(failed)).toEqual([
      'd exited with code 7',
      'c its health check answered 500',
      'b exited with code 9',
      'a exited with code 5',
    ])
  })

  it('is the crash of an instance that starts again, not that it does not answer yet', () => {
    expect(said(failedInstances('r2', report(instance('a', { ...refused, ...crashedAt(3) }))))).toEqual([
      'a exited with code 3',
    ])
    expect(said(failedInstances('r2', report(instance('a', refused))))).toEqual([`a ${refused.reason}`])
  })

  it('is no restart that a person asked for', () => {
    const planned = { lastRestart: { atMs: 3, reason: 'restarted by ann', isPlanned: true } } as const
    expect(failedInstances('r2', report(instance('a', planned)))).toEqual([])
  })

  it('is forgotten of an instance that became healthy, and kept of one that has gone or is being stopped', () => {
    const starting = failuresAfter([], 'r2', report(instance('a', refused), instance('b', refused)))
    expect(said(starting)).toHaveLength(2)
    const later = report(instance('a'), instance('b', { state: 'draining' }))
    expect(said(failuresAfter(starting, 'r2', later))).toEqual([`b ${refused.reason}`])
    expect(said(failuresAfter(starting, 'r2', report(instance('a'))))).toEqual([`b ${refused.reason}`])
  })
})
