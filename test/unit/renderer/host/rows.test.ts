import { describe, expect, it } from 'vitest'
import type { ProcessInfo, QualityCounts, Series, SeriesQuality } from '../../../../src/contract/index.ts'
import { Columns } from '../../../../src/renderer/charts/columns.ts'
import { filesystemRows } from '../../../../src/renderer/screens/host/filesystem-rows.ts'
import { heatRow } from '../../../../src/renderer/screens/host/heat.ts'
import {
  nextOrder,
  orderText,
  processOrder,
  processRows,
} from '../../../../src/renderer/screens/host/process-rows.ts'
import { qualityRows } from '../../../../src/renderer/screens/host/quality-rows.ts'

const process = (pid: number, name: string, of: Partial<ProcessInfo> = {}): ProcessInfo => ({
  pid,
  parentPid: 1,
  name,
  command: `/bin/${name}`,
  user: 'root',
  state: 'running',
  cpuRatio: 0,
  memoryBytes: 0,
  threadCount: 1,
  startedAtMs: 0,
  ...of,
})

describe('process rows', () => {
  const all = [
    process(3, 'nginx', { cpuRatio: 0.2, user: 'www' }),
    process(1, 'init', { memoryBytes: 9 }),
    process(2, 'postgres', { cpuRatio: 0.2, command: 'postgres: writer' }),
  ]
  const pids = (...input: Parameters<typeof processRows>) => processRows(...input).map(({ pid }) => pid)

  it('are ordered by the chosen column, and by PID where that is equal', () => {
    expect(pids(all, '', processOrder(null))).toEqual([2, 3, 1])
    expect(pids(all, '', processOrder('name'))).toEqual([1, 3, 2])
    expect(pids(all, '', processOrder('-name'))).toEqual([2, 3, 1])
  })

  it('hold all words of the filter in name, command, user or PID', () => {
    expect(pids(all, 'POSTGRES writer', processOrder(null))).toEqual([2])
    expect(pids(all, 'www', processOrder(null))).toEqual([3])
    expect(pids(all, '1', processOrder(null))).toEqual([1])
    expect(pids(all, 'nothing', processOrder(null))).toEqual([])
  })

  it('keep their order in the address, and turn round at a second click', () => {
    const byMemory = nextOrder(processOrder(null), 'memory')
    expect(orderText(byMemory)).toBe('memory')
    expect(orderText(nextOrder(byMemory, 'memory'))).toBe('-memory')
    expect(processOrder('-memory')).toEqual(nextOrder(byMemory, 'memory'))
    expect(orderText(processOrder('no such column'))).toBeNull()
  })
})

describe('filesystem rows', () => {
  const labels = { mount: '/', device: '/dev/sda1' }
  const names = ['size', 'used', 'available', 'inodes_total', 'inodes_used'] as const
  const series: Series[] = names.map((name, id) => ({
    id,
    name: `filesystem.${name}`,
    labels,
    unit: 'bytes',
  }))
  const limit = { warning: 0.8, critical: 0.95 }
  const rows = (values: number[]) => filesystemRows(series, (id) => values[id ?? -1] ?? Number.NaN, [], limit)

  it('count used space as df does: of what an ordinary user could use', () => {
    expect(rows([100, 45, 45, 10, 1])[0]).toMatchObject({ spaceShare: 0.5, severity: 'ok', inodeShare: 0.1 })
  })

  it('warn about inodes as about space', () => {
    expect(rows([100, 10, 90, 10, 9])[0]?.severity).toBe('warning')
    expect(rows([100, 96, 4, 10, 1])[0]?.severity).toBe('critical')
  })

  it('are stale without figures, and have no share of inodes that are not counted', () => {
    expect(rows([])[0]?.severity).toBe('stale')
    expect(rows([100, 10, 90, 0, 0])[0]?.inodeShare).toBeNaN()
  })
})

describe('quality rows', () => {
  const counts = (of: Partial<QualityCounts> = {}): QualityCounts => ({
    fresh: 1,
    late: 0,
    stale: 0,
    gaps: 0,
    notNumbers: 0,
    counterResets: 0,
    duplicates: 0,
    outOfOrder: 0,
    clockSkews: 0,
    unitJumps: 0,
    ...of,
  })
  const quality = (slot: number, of: Partial<SeriesQuality> = {}): SeriesQuality => ({
    slot,
    freshness: 'fresh',
    lastValueMs: 1,
    counts: counts(),
    canBeJudged: true,
    reasons: [],
    ...of,
  })
  const series: Series[] = [0, 1, 2, 3].map((id) => ({
    id,
    name: 'disk.read',
    labels: { device: `sd${'abcd'[id] ?? ''}` },
    unit: 'bytes_per_second',
  }))

  it('put what cannot be judged on first, then what is old, then what most was found in', () => {
    const rows = qualityRows(
      series,
      [
        quality(0, { counts: counts({ gaps: 2 }) }),
        quality(1),
        quality(2, { freshness: 'stale' }),
        quality(3, { canBeJudged: false }),
      ],
      '',
      true,
    )
    expect(rows.map(({ slot }) => slot)).toEqual([3, 2, 0, 1])
    expect(rows[0]?.name).toBe('disk.read (sdd)')
  })

  it('leave out series in which nothing was found, unless all are asked for', () => {
    expect(qualityRows(series, [quality(1)], '', false)).toEqual([])
    expect(qualityRows(series, [quality(1)], 'sdb', true)).toHaveLength(1)
    expect(qualityRows(series, [quality(1)], 'sdc', true)).toHaveLength(0)
  })
})

describe('a row of heat', () => {
  const columns = (times: number[], values: number[], stepMs = 0) => {
    const mean = Float64Array.from(values)
    return new Columns({ timesMs: Float64Array.from(times), min: mean, mean, max: mean }, stepMs)
  }

  it('shows the busiest moment of each cell', () => {
    const row = heatRow(columns([0, 1000, 2000, 3000], [0.1, 0.9, 0.2, 0.3]), { fromMs: 0, toMs: 4000 }, 2)
    expect([...row]).toEqual([0.9, 0.3])
  })

  it('has no stripes between samples where cells are narrower', () => {
    const row = heatRow(columns([0, 1000, 2000], [0.1, 0.2, 0.3]), { fromMs: 0, toMs: 2000 }, 8)
    expect([...row].slice(0, 8).some(Number.isNaN)).toBe(false)
  })

  it('is empty where nothing was measured', () => {
    const row = heatRow(columns([0, 9000], [0.1, 0.2]), { fromMs: 0, toMs: 10_000 }, 10)
    expect([...row].slice(4, 9).every(Number.isNaN)).toBe(true)
  })
})
