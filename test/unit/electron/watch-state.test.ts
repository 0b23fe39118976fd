import { describe, expect, it } from 'vitest'
import { standingOf, worseningOf } from '../../../electron/watch-state.ts'
import type { Health, HealthReason, LiveRecords } from '../../../src/contract/index.ts'

const reason = (severity: HealthReason['severity'], text: string, more: Partial<HealthReason> = {}) => ({
  severity,
  hostId: 'local',
  service: '',
  text,
  points: 10,
  sinceMs: 0,
  series: text,
  ...more,
})
const health = (
  severity: Health['severity'],
  score: number | null,
  reasons: HealthReason[] = [],
): Health => ({
  severity,
  score,
  reasons,
})
const well = { health: health('ok', 100) }
const warned = { health: health('warning', 82, [reason('warning', 'disk / at 86%')]) }
const critical = { health: health('critical', 40, [reason('critical', 'memory use at 99%')]) }
const standing = (records: Partial<LiveRecords>) => standingOf({ isLive: true, records })

const engine = (checks: { name: string; ok: boolean; text: string }[]) => ({
  version: '1',
  environment: 'production',
  startedAtMs: 0,
  checks: checks.map((check) => ({ ...check, sinceMs: 0 })),
})
const mistake = { file: 'p.yaml', line: 1, column: 1, path: '', message: 'no such key', hint: '' }

describe('the standing that the tray shows', () => {
  it('is well only when live data say so', () => {
    expect(standing(well)).toEqual({ severity: 'ok', count: 0, sentence: 'health 100 of 100' })
    expect(standing({})).toEqual({ severity: 'stale', count: 0, sentence: 'no data yet' })
    expect(standing({ health: health('stale', null) }).severity).toBe('stale')
  })

  it('knows nothing without the engine, whatever it told before', () => {
    expect(standingOf({ isLive: false, reason: 'the engine is starting' })).toEqual({
      severity: 'stale',
      count: 0,
      sentence: 'the engine is starting',
    })
  })

  it('names the worst reason with the score', () => {
    expect(standing(warned)).toEqual({
      severity: 'warning',
      count: 1,
      sentence: 'health 82 of 100: disk / at 86%',
    })
    expect(standing(critical).severity).toBe('critical')
  })

  it('names a service that is out, which counts in the health, and leads to it', () => {
    const text = 'checkout: r42 has traffic but no healthy instance'
    const out = { health: health('critical', 35, [reason('critical', text, { service: 'checkout' })]) }
    expect(standing(out)).toEqual({ severity: 'critical', count: 1, sentence: `health 35 of 100: ${text}` })
    expect(worseningOf(well, out)).toEqual({ severity: 'critical', text, path: '/services/checkout' })
  })

  it('warns of a failing readiness check and of a refused configuration on a healthy machine', () => {
    const failing = engine([
      { name: 'sampling local', ok: true, text: 'running' },
      { name: 'database', ok: false, text: 'disk full' },
    ])
    expect(standing({ ...well, engine: failing })).toEqual({
      severity: 'warning',
      count: 1,
      sentence: 'database: disk full',
    })
    const config = { file: 'p.yaml', loadedAtMs: 0, problems: [mistake] }
    expect(standing({ ...well, config })).toEqual({
      severity: 'warning',
      count: 1,
      sentence: 'configuration: no such key',
    })
  })

  it('puts a critical machine before everything else, and counts all that needs a person', () => {
    const both = { ...critical, engine: engine([{ name: 'database', ok: false, text: 'full' }]) }
    expect(standing(both)).toEqual({
      severity: 'critical',
      count: 2,
      sentence: 'health 40 of 100: memory use at 99%',
    })
  })
})

describe('what a person is told of', () => {
  it('is each step for the worse, with the screen that shows it', () => {
    expect(worseningOf(well, warned)).toEqual({
      severity: 'warning',
      text: 'disk / at 86%',
      path: '/host/local',
    })
    expect(worseningOf(warned, critical)?.severity).toBe('critical')
  })

  it('is one more critical reason in an environment that is critical already', () => {
    const more = {
      health: health('critical', 30, [...critical.health.reasons, reason('critical', 'disk / at 99%')]),
    }
    expect(worseningOf(critical, more)).toEqual({
      severity: 'critical',
      text: 'disk / at 99%',
      path: '/host/local',
    })
  })

  it('is neither the same state again, nor a better one, nor one more warning', () => {
    expect(worseningOf(critical, critical)).toBeUndefined()
    expect(worseningOf(critical, warned)).toBeUndefined()
    expect(worseningOf(warned, well)).toBeUndefined()
    const twoWarnings = {
      health: health('warning', 75, [...warned.health.reasons, reason('warning', 'cpu 90% busy')]),
    }
    expect(worseningOf(warned, twoWarnings)).toBeUndefined()
  })

  it('is not a figure that moved within the same reason', () => {
    const moved = {
      health: health('critical', 39, [
        reason('critical', 'memory use at 99.5%', { series: 'memory use at 99%' }),
      ]),
    }
    expect(worseningOf(critical, moved)).toBeUndefined()
  })

  it('is not the state found at the start', () => {
    expect(worseningOf({}, critical)).toBeUndefined()
    expect(worseningOf({ health: health('stale', null) }, critical)).toBeUndefined()
  })

  it('escapes the name of a host in the address, and leads to the overview without one', () => {
    const odd = { health: health('critical', 1, [reason('critical', 'x', { hostId: 'a/b?c' })]) }
    expect(worseningOf(well, odd)?.path).toBe('/host/a%2Fb%3Fc')
    const none = { health: health('critical', 1, [reason('critical', 'x', { hostId: '' })]) }
    expect(worseningOf(well, none)?.path).toBe('/overview')
  })
})
