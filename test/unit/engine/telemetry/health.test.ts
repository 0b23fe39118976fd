import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Forecast, Health, HealthReason, LimitState } from '../../../../src/contract/index.ts'
import { combineHealth, type HealthMember } from '../../../../src/engine/telemetry/health-combine.ts'
import { hostHealth, type HostHealthInput, type OpenAlert } from '../../../../src/engine/telemetry/health.ts'
import {
  decideLimit,
  defaultLimits,
  limitKinds,
  type LimitKind,
} from '../../../../src/engine/telemetry/limits.ts'

const nowMs = 1e12

/** A limit that has stood at `value` for its whole hold time. */
function limitAt(kind: LimitKind, value: number, sinceMs = nowMs - 1000): LimitState {
  const unit = kind === 'temperature' ? 'celsius' : 'ratio'
  const isOfWholeHost = kind === 'cpu' || kind === 'swap'
  const subject = { kind, subject: isOfWholeHost ? '' : '/x', series: kind, unit } as const
  return decideLimit(undefined, subject, { mean: value, coveredMs: 1e9 }, defaultLimits[kind], sinceMs)
}
function forecastIn(hours: number, series = 'disk'): Forecast {
  const fullAtMs = nowMs + hours * 3_600_000
  const text = `disk /x full in about ${hours} h`
  return { subject: '/x', series, fullAtMs, earliestMs: fullAtMs, latestMs: fullAtMs, sinceMs: nowMs, text }
}
const calmInput: HostHealthInput = {
  hostId: 'a',
  freshness: 'fresh',
  ageMs: 500,
  nowMs,
  limits: [],
  forecasts: [],
  alerts: [],
}
const healthOf = (input: Partial<HostHealthInput>) => hostHealth({ ...calmInput, ...input })

/** What may be wrong with a host: how high each limit stands, from 0 (well below) to 1 (worst). */
const levels = fc.record(
  Object.fromEntries(limitKinds.map((kind) => [kind, fc.double({ min: 0, max: 1, noNaN: true })])) as Record<
    LimitKind,
    fc.Arbitrary<number>
  >,
  { requiredKeys: [] },
)
const atLevel = (kind: LimitKind, level: number) =>
  limitAt(kind, kind === 'temperature' ? level * 120 : Math.min(1, level * 1.2))
const limitsAt = (each: Partial<Record<LimitKind, number>>) =>
  limitKinds.flatMap((kind) => (each[kind] === undefined ? [] : [atLevel(kind, each[kind])]))
const alerts = fc.array(
  fc.record<OpenAlert>({
    severity: fc.constantFrom('warning', 'critical'),
    text: fc.constantFrom('checkout fails', 'queue grows'),
    sinceMs: fc.integer({ min: 0, max: nowMs }),
    series: fc.constant(''),
  }),
  { maxLength: 4 },
)
const sum = (reasons: readonly HealthReason[]) => reasons.reduce((total, { points }) => total + points, 0)
const scoreOf = ({ score }: Health) => score ?? NaN

describe('the health of a host', () => {
  it('is 100 without a reason when it is calm', () => {
    expect(healthOf({ limits: limitsAt({ cpu: 0.5, disk: 0.6, temperature: 0.4 }) })).toEqual({
      score: 100,
      severity: 'ok',
      reasons: [],
    })
  })

  it.each([
    [{ limits: [limitAt('disk', 0.8)] }, 90, 'disk /x at 80%'],
    [{ limits: [limitAt('disk', 0.95)] }, 60, 'disk /x at 95%'],
    [{ limits: [limitAt('disk', 1)] }, 40, 'disk /x at 100%'],
    [{ limits: [limitAt('cpu', 1)] }, 52, 'CPU use at 100% (30 s mean)'],
    [{ limits: [limitAt('swap', 0.8)] }, 96, 'swap use at 80%'],
    [{ limits: [limitAt('temperature', 200)] }, 64, 'temperature of /x at 200 °C'],
    [{ limits: [limitAt('networkErrors', 0.004)] }, 90, 'network errors on /x at 0.4% (1 min mean)'],
    [{ forecasts: [forecastIn(12)] }, 80, 'disk /x full in about 12 h'],
    [{ freshness: 'late' as const, ageMs: 3000 }, 95, 'the newest reading is 3 s old'],
    [{ alerts: [{ severity: 'critical' as const, text: 'down', sinceMs: 0, series: '' }] }, 50, 'down'],
  ])('with %o is %d, because "%s"', (input, score, text) => {
    expect(healthOf(input)).toMatchObject({ score, reasons: [{ text, points: 100 - score }] })
  })

  it('is unknown when stale: neither well nor 0', () => {
    expect(healthOf({ freshness: 'stale', ageMs: 40_000, limits: [limitAt('disk', 1)] })).toEqual({
      score: null,
      severity: 'stale',
      reasons: [
        {
          severity: 'stale',
          hostId: 'a',
          service: '',
          text: 'unknown: no reading for 40 s',
          points: 0,
          sinceMs: nowMs - 40_000,
          series: '',
        },
      ],
    })
  })

  it('takes a full disk and its forecast for one problem, and says both', () => {
    const { score, reasons } = healthOf({ limits: [limitAt('disk', 0.86)], forecasts: [forecastIn(2)] })
    expect(reasons.map(({ text }) => text)).toEqual(['disk /x at 86%, full in about 2 h'])
    expect(score).toBe(72)
  })

  it('does not lose points when a forecast disk reaches its limit', () => {
    const before = healthOf({ limits: [limitAt('disk', 0.79)], forecasts: [forecastIn(1)] })
    const after = healthOf({ limits: [limitAt('disk', 0.81)], forecasts: [forecastIn(1)] })
    expect(scoreOf(after)).toBeLessThanOrEqual(scoreOf(before))
  })

  it('lies within 0 and 100, and its reasons account for every point, worst first', () => {
    fc.assert(
      fc.property(levels, alerts, fc.boolean(), (each, open, isLate) => {
        const health = healthOf({
          limits: limitsAt(each),
          alerts: open,
          freshness: isLate ? 'late' : 'fresh',
          forecasts: [forecastIn(3)],
        })
        expect(health.score).toBeGreaterThanOrEqual(0)
        expect(health.score).toBeLessThanOrEqual(100)
        expect(sum(health.reasons)).toBe(100 - scoreOf(health))
        for (const { points } of health.reasons) expect(points).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  it('never rises when something gets worse', () => {
    fc.assert(
      fc.property(
        levels,
        alerts,
        fc.constantFrom(...limitKinds),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (each, open, kind, a, b) => {
          const at = (level: number) =>
            scoreOf(healthOf({ limits: limitsAt({ ...each, [kind]: level }), alerts: open }))
          expect(at(Math.max(a, b))).toBeLessThanOrEqual(at(Math.min(a, b)))
          const base = healthOf({ limits: limitsAt(each), alerts: open })
          const more: OpenAlert = { severity: 'warning', text: 'more', sinceMs: 0, series: '' }
          expect(scoreOf(healthOf({ limits: limitsAt(each), alerts: [...open, more] }))).toBeLessThanOrEqual(
            scoreOf(base),
          )
          expect(
            scoreOf(healthOf({ limits: limitsAt(each), alerts: open, freshness: 'late', ageMs: 3000 })),
          ).toBeLessThanOrEqual(scoreOf(base))
        },
      ),
    )
  })

  it('does not depend on the order of its inputs', () => {
    fc.assert(
      fc.property(levels, alerts, (each, open) => {
        const limits = limitsAt(each)
        const backwards = healthOf({ limits: [...limits].reverse(), alerts: [...open].reverse() })
        expect(backwards).toEqual(healthOf({ limits, alerts: open }))
      }),
    )
  })
})

const member = fc
  .record({ hostId: fc.string({ minLength: 1, maxLength: 5 }), each: levels, isStale: fc.boolean() })
  .map(({ hostId, each, isStale }): HealthMember => {
    const known = healthOf({ hostId, limits: limitsAt(each) })
    const health = isStale ? healthOf({ hostId, freshness: 'stale', ageMs: 9000 }) : known
    return { health, lastScore: known.score }
  })
const members = fc.array(member, { minLength: 1, maxLength: 40 })

const well = (hostId: string): HealthMember => ({ health: healthOf({ hostId }), lastScore: 100 })
const ill = (hostId: string): HealthMember => {
  const health = healthOf({ hostId, limits: [limitAt('disk', 1)] })
  return { health, lastScore: health.score }
}
const silent = (hostId: string, lastScore: number | null): HealthMember => ({
  health: healthOf({ hostId, freshness: 'stale', ageMs: 40_000 }),
  lastScore,
})

describe('the health of an environment', () => {
  it('is that of its host when it has one', () => {
    fc.assert(
      fc.property(member, (only) => {
        expect(combineHealth([only]).score).toBe(only.health.score)
      }),
    )
  })

  it('is not averaged away: one ill host of a thousand still shows', () => {
    const hosts = [ill('bad'), ...Array.from({ length: 999 }, (_, i) => well(`h${i}`))]
    const health = combineHealth(hosts)
    expect(health).toMatchObject({ score: 58, severity: 'critical' })
    expect(health.reasons).toEqual([expect.objectContaining({ hostId: 'bad', points: 42 })])
  })

  it('is worse with two ill hosts than with one', () => {
    const one = combineHealth([ill('a'), well('b'), well('c')])
    const two = combineHealth([ill('a'), ill('b'), well('c')])
    expect(scoreOf(two)).toBeLessThan(scoreOf(one))
  })

  it('does not look well because an ill host fell silent', () => {
    const before = combineHealth([ill('a'), well('b')])
    const after = combineHealth([silent('a', ill('a').health.score), well('b')])
    expect(after).toMatchObject({ score: before.score, severity: 'warning' })
    expect(after.reasons[0]).toMatchObject({ severity: 'stale', text: 'unknown: no reading for 40 s' })
  })

  it('counts a host that fell silent while well as a problem', () => {
    expect(combineHealth([silent('a', 100), well('b')]).score).toBe(75)
  })

  it('is unknown when all hosts are, and when there are none', () => {
    expect(combineHealth([silent('a', 80), silent('b', null)])).toMatchObject({
      score: null,
      severity: 'stale',
      reasons: [{ points: 0 }, { points: 0 }],
    })
    expect(combineHealth([])).toEqual({ score: null, severity: 'stale', reasons: [] })
  })

  it('lies within its worst and its best host, and its reasons account for every point', () => {
    fc.assert(
      fc.property(members, (hosts) => {
        const { score, reasons } = combineHealth(hosts)
        expect(reasons.length).toBeLessThanOrEqual(20)
        if (score === null) return
        expect(score).toBeGreaterThanOrEqual(0)
        expect(score).toBeLessThanOrEqual(100)
        expect(sum(reasons)).toBe(100 - score)
        for (const { points } of reasons) expect(points).toBeGreaterThanOrEqual(0)
        if (hosts.some(({ health }) => health.score === null)) return
        expect(score).toBeGreaterThanOrEqual(Math.min(...hosts.map(({ health }) => scoreOf(health))))
        expect(score).toBeLessThanOrEqual(Math.max(...hosts.map(({ health }) => scoreOf(health))))
      }),
    )
  })

  it('never rises when a host gets worse or falls silent', () => {
    fc.assert(
      fc.property(members, fc.nat(39), (hosts, pick) => {
        const index = pick % hosts.length
        const host = hosts[index]
        if (!host || host.health.score === null) return
        const before = combineHealth(hosts).score ?? NaN
        const gone = combineHealth(hosts.with(index, silent('x', host.health.score))).score
        if (gone !== null) expect(gone).toBeLessThanOrEqual(before)
        const broken = healthOf({ limits: limitKinds.map((kind) => atLevel(kind, 1)) })
        const worse = combineHealth(hosts.with(index, { health: broken, lastScore: broken.score })).score
        expect(worse).toBeLessThanOrEqual(before)
      }),
    )
  })

  it('does not depend on the order of its hosts', () => {
    fc.assert(
      fc.property(
        members.chain((hosts) =>
          fc.tuple(fc.constant(hosts), fc.shuffledSubarray(hosts, { minLength: hosts.length })),
        ),
        ([hosts, shuffled]) => {
          expect(combineHealth(shuffled)).toEqual(combineHealth(hosts))
        },
      ),
    )
  })

  it('lists twenty reasons at most, the last one for all others', () => {
    const { reasons } = combineHealth(Array.from({ length: 30 }, (_, i) => ill(`h${i}`)))
    expect(reasons).toHaveLength(20)
    expect(reasons[19]).toMatchObject({ text: '11 more reasons', severity: 'critical' })
  })
})
