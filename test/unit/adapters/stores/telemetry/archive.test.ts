import Sqlite from 'better-sqlite3'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRng } from '../../../../../src/base/index.ts'
import { Archive } from '../../../../../src/adapters/stores/telemetry/archive.ts'
import { defaultRetention, type Retention } from '../../../../../src/adapters/stores/telemetry/index.ts'
import type { SeriesKey } from '../../../../../src/engine/telemetry/index.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const startMs = Date.UTC(2026, 0, 1)
const keys: SeriesKey[] = [
  { name: 'cpu.busy', labels: {}, unit: 'ratio' },
  { name: 'memory.used', labels: {}, unit: 'bytes' },
]

describe('the archive', () => {
  let folder = ''
  let archive: Archive | undefined
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'pilothouse-archive-'))))
  afterEach(() => {
    archive?.close()
    archive = undefined
    rmSync(folder, { recursive: true })
  })

  function open(retention: Partial<Retention> = {}) {
    archive?.close()
    archive = new Archive(join(folder, 'telemetry.db'), { ...defaultRetention, ...retention }, startMs)
    const opened = archive
    const ids = opened.register('local', keys, startMs).map(({ id }) => id)
    /** Commits rows and does all the upkeep that follows. */
    const commit = (times: number[], values: (time: number, i: number) => number[], nowMs: number) => {
      const batch = {
        hostId: 'local',
        seriesIds: Float64Array.from(ids),
        timesMs: Float64Array.from(times),
        values: Float64Array.from(times.flatMap(values)),
      }
      opened.commit([batch], nowMs)
      settle(opened, nowMs)
    }
    return { archive: opened, ids, commit }
  }

  const hoursOf = (day: number) => Array.from({ length: 24 }, (_, hour) => day + hour * hourMs)

  const settle = (opened: Archive, nowMs: number) => {
    for (let steps = 0; opened.maintain(nowMs); steps++) expect(steps).toBeLessThan(10_000)
  }

  const query = <T>(sql: string): T[] => {
    const db = new Sqlite(join(folder, 'telemetry.db'), { readonly: true })
    const rows = db.prepare(sql).all() as T[]
    db.close()
    return rows
  }
  const spanOf = (res: number) =>
    query<{ n: number; oldest: number; newest: number }>(
      `SELECT count(*) AS n, min(t0) AS oldest, max(t0) AS newest FROM chunk WHERE res = ${res}`,
    )[0]

  it('keeps each resolution for its own time', () => {
    const { commit } = open({ samplesMs: 2 * dayMs, minutesMs: 10 * dayMs, hoursMs: 60 * dayMs })
    const endMs = startMs + 90 * dayMs
    for (let day = startMs; day < endMs; day += dayMs)
      commit(hoursOf(day), () => [0.5, 1e9], day + dayMs - 10)
    expect(spanOf(0)?.oldest).toBeGreaterThanOrEqual(endMs - 2 * dayMs - hourMs)
    expect(spanOf(0)?.oldest).toBeLessThanOrEqual(endMs - 2 * dayMs + hourMs)
    expect(spanOf(60_000)?.oldest).toBeGreaterThanOrEqual(endMs - 10 * dayMs - 7 * hourMs)
    expect(spanOf(60_000)?.oldest).toBeLessThanOrEqual(endMs - 10 * dayMs + 7 * hourMs)
    expect(spanOf(3_600_000)?.oldest).toBeGreaterThanOrEqual(endMs - 71 * dayMs)
    expect(spanOf(3_600_000)?.oldest).toBeLessThanOrEqual(endMs - 59 * dayMs)
  })

  it('draws ninety days of hours, the older ones long gone as samples', () => {
    const { archive, ids, commit } = open()
    const endMs = startMs + 90 * dayMs
    const hourOf = (timeMs: number) => (timeMs - startMs) / hourMs
    for (let day = startMs; day < endMs; day += dayMs) {
      commit(hoursOf(day), (timeMs) => [(hourOf(timeMs) % 24) / 24, hourOf(timeMs)], day + dayMs)
    }
    const chart = archive.chart(
      { hostId: 'local', seriesIds: ids, fromMs: startMs, toMs: endMs - 1, maxPoints: 2159 },
      [],
      endMs,
    )
    expect(chart.stepMs).toBe(2 * hourMs)
    expect(Array.from(chart.series[1]?.max ?? [])).toEqual(Array.from({ length: 1080 }, (_, i) => 2 * i + 1))
    const day = chart.series[0]?.mean.subarray(0, 12) ?? []
    Array.from(day).forEach((value, i) => expect(value).toBeCloseTo((2 * i + 0.5) / 24, 3))
  })

  it('draws old days in the detail that is left of them', () => {
    const { archive, ids, commit } = open({ samplesMs: 6 * hourMs, minutesMs: 2 * dayMs })
    const endMs = startMs + 4 * dayMs
    for (let from = startMs; from < endMs; from += 6 * hourMs) {
      const times = Array.from({ length: 360 }, (_, i) => from + i * 60_000 + 500)
      commit(times, (time) => [0.5, Math.floor((time - startMs) / 60_000)], from + 6 * hourMs)
    }
    const stepOf = (fromMs: number, toMs: number, maxPoints = 5000) => {
      const chart = archive.chart({ hostId: 'local', seriesIds: ids, fromMs, toMs, maxPoints }, [], endMs)
      const means = chart.series[1]?.mean ?? new Float64Array()
      expect(means.filter((mean) => Number.isNaN(mean)).length).toBe(0)
      return chart.stepMs
    }
    expect(stepOf(endMs - hourMs, endMs - 60_000)).toBe(0)
    expect(stepOf(endMs - dayMs, endMs - 60_000)).toBe(60_000)
    expect(stepOf(startMs + hourMs, endMs - 60_000)).toBe(hourMs)
    expect(stepOf(startMs + hourMs, startMs + 5 * hourMs)).toBe(hourMs)
  })

  it('shows seconds, not minutes, of a host that is back after its samples of before were deleted', () => {
    const { archive, ids, commit } = open()
    const times = Array.from({ length: 3600 }, (_, i) => startMs + i * 1000)
    commit(times, () => [0.5, 1], startMs + hourMs)
    const backMs = startMs + 8 * dayMs + 300_000
    commit([backMs - 2000, backMs - 1000], () => [0.5, 2], backMs)
    commit([backMs], () => [0.5, 3], backMs)
    expect(spanOf(0)).toMatchObject({ n: 0 })
    const draw = (fromMs: number, maxPoints: number) =>
      archive.chart({ hostId: 'local', seriesIds: ids, fromMs, toMs: backMs, maxPoints }, [], backMs)
    expect(draw(backMs - 900_000, 1000)).toMatchObject({ stepMs: 0 })
    const long = draw(startMs - hourMs, 20_000)
    expect(long.stepMs).toBe(60_000)
    expect(new Set(long.series[1]?.max.filter((value) => !Number.isNaN(value)))).toEqual(new Set([1, 2, 3]))
  })

  it('stays within its bytes a host, giving up the oldest first, and gives the space back', () => {
    const bytesPerHost = 150_000
    const { archive, commit } = open({ bytesPerHost })
    const rng = seededRng(7)
    let largestBytes = 0
    const windows = 700
    for (let w = 0; w < windows; w += 10) {
      const from = startMs + w * 600_000
      const times = Array.from({ length: 1200 }, (_, i) => from + i * 5000)
      commit(times, () => [rng.next(), Math.floor(rng.next() * 2 ** 40)], from + 6_000_000)
      largestBytes = Math.max(largestBytes, archive.state().sizeBytes)
    }
    const [used] = query<{ bytes: number; real: number }>(
      'SELECT (SELECT sum(bytes) FROM usage) AS bytes, sum(length(body)) AS real FROM chunk',
    )
    expect(used?.bytes).toBe(used?.real)
    expect(used?.bytes).toBeLessThanOrEqual(bytesPerHost * 1.05)
    expect(used?.bytes).toBeGreaterThan(bytesPerHost * 0.7)
    const newest = startMs + (windows - 1) * 600_000
    for (const res of [0, 60_000, hourMs]) {
      const span = spanOf(res)
      expect(span?.n).toBeGreaterThan(0)
      expect(span?.newest).toBeGreaterThan(newest - 10 * dayMs - 600_000)
    }
    expect(spanOf(0)?.oldest).toBeGreaterThan(startMs)
    // Free pages that are kept for reuse and the log come on top.
    expect(largestBytes).toBeLessThan(bytesPerHost + 3_500_000)
  })

  it('returns free pages to the system after much was deleted', () => {
    const rng = seededRng(9)
    const first = open()
    for (let w = 0; w < 900; w += 18) {
      const from = startMs + w * 600_000
      const times = Array.from({ length: 18 * 600 }, (_, i) => from + i * 1000)
      first.commit(times, () => [rng.next(), Math.floor(rng.next() * 2 ** 40)], from + 18 * 600_000)
    }
    const endMs = startMs + 900 * 600_000
    const before = statSync(join(folder, 'telemetry.db')).size
    const second = open({ samplesMs: hourMs })
    for (let i = 0; i < 60; i++) second.commit([endMs + i * 1000], () => [0, 0], endMs + i * 1000)
    archive?.close()
    archive = undefined
    const after = statSync(join(folder, 'telemetry.db')).size
    expect(before).toBeGreaterThan(3_500_000)
    expect(after).toBeLessThan(before / 1.5)
  })

  it('rewrites the chunk and the roll-ups of a closed window when rows come late, the later value winning', () => {
    const { archive, ids, commit } = open()
    const windowMs = Math.floor(startMs / 600_000) * 600_000
    const times = Array.from({ length: 60 }, (_, i) => windowMs + i * 10_000)
    commit(times, () => [0.1, 100], windowMs + 600_000)
    commit([windowMs + 700_000], () => [0.2, 200], windowMs + 700_000)
    commit([windowMs + 800_000], () => [0.2, 200], windowMs + 800_000)
    expect(spanOf(0)?.n).toBe(1)
    commit([windowMs + 10_000, windowMs + 15_000], () => [0.9, 1000], windowMs + 810_000)
    commit([windowMs + 820_000], () => [0.2, 200], windowMs + 820_000)
    expect(query('SELECT * FROM tail WHERE t0 = ' + windowMs)).toEqual([])
    const draw = (spanMs: number, maxPoints: number) => {
      const range = { fromMs: windowMs, toMs: windowMs + spanMs - 1, maxPoints }
      const chart = archive.chart({ hostId: 'local', seriesIds: ids, ...range }, [], windowMs + 820_000)
      const { min, mean, max } = chart.series[1] ?? {}
      return { stepMs: chart.stepMs, min: min?.[0], mean: mean?.[0], max: max?.[0] }
    }
    expect(draw(10_000, 1000)).toEqual({ stepMs: 0, min: 100, mean: 100, max: 100 })
    // Two minutes have six rows each, and the late one that was not there before.
    const twoMinutes = (11 * 100 + 2 * 1000) / 13
    expect(draw(600_000, 9)).toEqual({
      stepMs: 120_000,
      min: 100,
      mean: expect.closeTo(twoMinutes, 0) as number,
      max: 1000,
    })
    const hour = (58 * 100 + 1000 + 1000 + 100 + 3 * 200) / 64
    expect(draw(2 * hourMs, 2)).toEqual({
      stepMs: 2 * hourMs,
      min: 100,
      mean: expect.closeTo(hour, 0) as number,
      max: 1000,
    })
  })

  it('closes the window of a host that has gone silent', () => {
    const { archive, commit } = open()
    commit([startMs + 1000], () => [0.5, 1], startMs + 1000)
    expect(query('SELECT * FROM tail').length).toBe(1)
    const laterMs = startMs + 2 * 600_000
    archive.commit([], laterMs)
    settle(archive, laterMs)
    expect(query('SELECT * FROM tail')).toEqual([])
    expect(spanOf(0)?.n).toBe(1)
  })

  it('groups no series with one that comes in other rows, so that neither sees gaps', () => {
    const { archive, ids, commit } = open()
    const [stranger] = archive.register(
      'local',
      [{ name: 'app.requests', labels: {}, unit: 'count' }],
      startMs,
    )
    commit([startMs, startMs + 1000], () => [0.5, 1], startMs + 1000)
    archive.commit(
      [
        {
          hostId: 'local',
          seriesIds: Float64Array.of(stranger?.id ?? -1),
          timesMs: Float64Array.of(startMs + 500),
          values: Float64Array.of(7),
        },
      ],
      startMs + 1000,
    )
    const chart = archive.chart(
      {
        hostId: 'local',
        seriesIds: [...ids, stranger?.id ?? -1],
        fromMs: startMs,
        toMs: startMs + 2000,
        maxPoints: 99,
      },
      [],
      startMs + 2000,
    )
    expect(chart.series.map(({ mean }) => Array.from(mean))).toEqual([[0.5, 0.5], [1, 1], [7]])
  })
})
