import { describe, expect, it } from 'vitest'
import type { Host, HostState, LimitState, LiveRecords } from '../../../../src/contract/index.ts'
import { needsOf } from '../../../../src/renderer/screens/overview/needs.ts'

const nowMs = Date.UTC(2025, 10, 20, 12, 0, 0)
const records = (changes: Partial<LiveRecords> = {}): Partial<LiveRecords> => ({
  engine: { version: '1', environment: 'staging', startedAtMs: nowMs, checks: [] },
  config: { file: null, loadedAtMs: nowMs, problems: [] },
  ...changes,
})
const limit = (changes: Partial<LimitState>): LimitState => ({
  kind: 'cpu',
  subject: '',
  series: 'cpu.busy',
  unit: 'ratio',
  severity: 'warning',
  value: 0.874,
  warning: 0.8,
  critical: 0.95,
  holdMs: 30_000,
  sinceMs: nowMs - 60_000,
  ...changes,
})
function host(limits: LimitState[], freshness: 'fresh' | 'stale' = 'fresh') {
  const state = { quality: { freshness, lastSampleMs: nowMs - 48_000 }, limits } as HostState
  return { host: { id: 'db-2', name: 'db-2' } as Host, state }
}

describe('what needs a person', () => {
  it('is nothing when all is well', () => {
    expect(needsOf(records(), [host([])], nowMs)).toEqual([])
    expect(needsOf({}, [], nowMs)).toEqual([])
  })

  it('is an exceeded limit, with its bound and the chart to open', () => {
    const [need] = needsOf(records(), [host([limit({})])], nowMs)
    expect(need).toMatchObject({
      severity: 'warning',
      title: 'db-2: CPU use at 87.4%',
      action: { href: '/host/db-2#cpu' },
    })
    expect(need?.detail).toContain('limit 80%')
  })

  it('names the disk, and the critical bound once it is critical', () => {
    const full = limit({
      kind: 'disk',
      subject: '/data',
      series: 'filesystem.used{mount=/data}',
      severity: 'critical',
      value: 0.97,
    })
    const [need] = needsOf(records(), [host([full])], nowMs)
    expect(need).toMatchObject({
      severity: 'critical',
      title: 'db-2: disk /data at 97.0%',
      action: { href: '/host/db-2#disk' },
    })
    expect(need?.detail).toContain('limit 95%')
  })

  it('is a host that fell silent, but not its limits that can no longer be measured', () => {
    const needs = needsOf(records(), [host([limit({ severity: 'stale', value: null })], 'stale')], nowMs)
    expect(needs).toMatchObject([{ severity: 'stale', title: 'db-2 is not reporting' }])
  })

  it('stands worst first: readiness, then limits, then the configuration, then silence', () => {
    const broken = records({
      engine: {
        version: '1',
        environment: 'staging',
        startedAtMs: nowMs,
        checks: [
          { name: 'sampling local', ok: true, text: 'running', sinceMs: 0 },
          { name: 'state database', ok: false, text: 'read only', sinceMs: nowMs },
        ],
      },
      config: {
        file: '/etc/p.yaml',
        loadedAtMs: nowMs,
        problems: [
          { file: '/etc/p.yaml', line: 3, column: 5, path: 'a', message: 'There is no option a', hint: '' },
        ],
      },
    })
    const needs = needsOf(broken, [host([], 'stale'), host([limit({ severity: 'critical' })])], nowMs)
    expect(needs.map(({ severity, id }) => [severity, id])).toEqual([
      ['critical', 'check:state database'],
      ['critical', 'limit:db-2:cpu:'],
      ['warning', 'config'],
      ['stale', 'silent:db-2'],
    ])
    expect(needs[2]?.detail).toBe('/etc/p.yaml:3:5: There is no option a')
  })
})
