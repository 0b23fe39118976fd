import { describe, expect, it } from 'vitest'
import type { Host, HostState, LimitState } from '../../../../src/contract/index.ts'
import { changesOf } from '../../../../src/engine/telemetry/index.ts'

const host = { id: 'local', name: 'bridge' } as Host

function limit(severity: LimitState['severity'], overrides: Partial<LimitState> = {}): LimitState {
  return {
    kind: 'disk',
    subject: '/var',
    series: 'filesystem.used',
    unit: 'ratio',
    severity,
    value: 0.9,
    warning: 0.8,
    critical: 0.95,
    holdMs: 0,
    sinceMs: 0,
    ...overrides,
  }
}

function state(limits: LimitState[], freshness: HostState['quality']['freshness'] = 'fresh'): HostState {
  return { quality: { freshness }, limits, forecasts: [] } as unknown as HostState
}

const told = (before: HostState | undefined, after: HostState) =>
  changesOf(host, before, after).map(({ severity, text }) => `${severity}: ${text}`)

describe('what is told of a host', () => {
  it('tells a limit that is passed, made worse, eased and left, each once', () => {
    const calm = state([])
    const warning = state([limit('warning')])
    const critical = state([limit('critical')])
    expect(told(calm, warning)).toEqual(['warning: bridge: disk /var above 80%'])
    expect(told(warning, warning)).toEqual([])
    expect(told(warning, critical)).toEqual(['critical: bridge: disk /var above 95%'])
    expect(told(critical, warning)).toEqual(['warning: bridge: disk /var is back below critical (95%)'])
    expect(told(warning, calm)).toEqual(['ok: bridge: disk /var is below 80% again'])
  })

  it('tells silence and return, but not the first state of a host', () => {
    const silent = state([], 'stale')
    const well = state([])
    expect(told(undefined, silent)).toEqual([])
    expect(told(undefined, well)).toEqual([])
    expect(told(well, silent)).toEqual(['warning: bridge is not reporting: its data is stale'])
    expect(told(silent, well)).toEqual(['ok: bridge is reporting again'])
  })

  it('names limits in words', () => {
    const pressure = state([limit('warning', { kind: 'cpuPressure', subject: '' })])
    expect(told(state([]), pressure)).toEqual(['warning: bridge: CPU pressure above 80%'])
  })

  it('keeps hostile labels from breaking its sentence', () => {
    const [text] = told(state([]), state([limit('warning', { subject: `/a\n\u202e${'x'.repeat(500)}` })]))
    expect(text).not.toMatch(/[\n\u202e]/)
    expect(text?.length).toBeLessThan(200)
  })
})
