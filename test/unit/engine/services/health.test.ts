import { describe, expect, it } from 'vitest'
import type { Concern } from '../../../../src/contract/index.ts'
import { serviceChanges, serviceHealth, type Told } from '../../../../src/engine/services/index.ts'
import { combineHealth } from '../../../../src/engine/telemetry/index.ts'

const concern = (change: Partial<Concern> = {}): Concern => ({
  kind: 'no-healthy-instance',
  severity: 'critical',
  text: 'r2 has traffic but no healthy instance',
  detail: '',
  sinceMs: 5,
  ...change,
})
const well = { health: { score: 100, severity: 'ok' as const, reasons: [] }, lastScore: 100 }
const memberOf = (concerns: Concern[]) => {
  const health = serviceHealth('shop', concerns, true)
  return health ? [{ health, lastScore: health.score }] : []
}

describe('the health of a service', () => {
  it('is full without a concern, and unknown without traffic', () => {
    expect(serviceHealth('shop', [], true)).toEqual({ score: 100, severity: 'ok', reasons: [] })
    expect(serviceHealth('shop', [concern()], false)).toBeNull()
  })

  it('is nearly nothing in an outage, with the reason that names the service', () => {
    expect(serviceHealth('shop', [concern()], true)).toEqual({
      score: 5,
      severity: 'critical',
      reasons: [
        {
          severity: 'critical',
          hostId: '',
          service: 'shop',
          text: 'shop: r2 has traffic but no healthy instance',
          points: 95,
          sinceMs: 5,
          series: '',
        },
      ],
    })
  })

  it('pulls the whole below 50 when one service is out, however many hosts and services are well', () => {
    const whole = combineHealth([...Array.from({ length: 60 }, () => well), ...memberOf([concern()])])
    expect(whole.score).toBeLessThan(50)
    expect(whole.severity).toBe('critical')
    expect(whole.reasons[0]).toMatchObject({ service: 'shop' })
  })

  it('does the same when most requests fail though instances look healthy', () => {
    const failing = concern({ kind: 'errors', text: 'r2 fails 80% of requests' })
    expect(combineHealth([well, ...memberOf([failing])]).score).toBeLessThan(50)
  })

  it('takes little for a restart or for automation that a person stopped', () => {
    const concerns = [
      concern({ kind: 'restarts', severity: 'warning' }),
      concern({ kind: 'automation-stopped', severity: 'warning' }),
    ]
    expect(serviceHealth('shop', concerns, true)).toMatchObject({ score: 86, severity: 'warning' })
  })
})

describe('events of a service', () => {
  const at = (concerns: Concern[], nowMs: number, told: Told = new Map()) =>
    serviceChanges('shop', told, concerns, nowMs)
  const errors = concern({ kind: 'errors', severity: 'warning', text: 'r2 fails 3% of requests' })

  it('tell of a concern once it has held for five seconds, and again when it becomes critical', () => {
    expect(at([errors], 4000).changes).toEqual([])
    const first = at([errors], 5005)
    expect(first.changes).toEqual([
      { severity: 'warning', text: 'shop: r2 fails 3% of requests', link: '/services/shop' },
    ])
    const worse = { ...errors, severity: 'critical' as const }
    expect(at([{ ...errors, text: 'r2 fails 4% of requests' }], 9000, first.told).changes).toEqual([])
    expect(at([worse], 9000, first.told).changes).toHaveLength(1)
    expect(at([errors], 9900, at([worse], 9000, first.told).told).changes).toEqual([])
  })

  it('tell of the recovery when the last of them is gone, and of none that nobody was told of', () => {
    const down = concern({ kind: 'instances-down', severity: 'warning' })
    const { told } = at([concern(), down], 5005)
    const one = at([down], 9000, told)
    expect(one.changes).toEqual([])
    expect(at([], 9900, one.told).changes).toEqual([
      { severity: 'ok', text: 'shop: recovered', link: '/services/shop' },
    ])
    expect(at([], 4000, at([down], 3000).told).changes).toEqual([])
  })

  it('leave to others what a person did, and what ends by time', () => {
    const stopped = concern({ kind: 'automation-stopped', severity: 'warning' })
    const restarts = concern({ kind: 'restarts', severity: 'warning' })
    expect(at([stopped], 9000).changes).toEqual([])
    expect(at([], 9900, at([restarts], 9000).told).changes).toEqual([])
  })
})
