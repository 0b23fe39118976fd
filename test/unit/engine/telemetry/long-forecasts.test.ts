import { describe, expect, it } from 'vitest'
import { ok } from '../../../../src/base/index.ts'
import type { Series } from '../../../../src/contract/index.ts'
import {
  longForecasts,
  type ChartQuery,
  type TelemetryStore,
} from '../../../../src/engine/telemetry/index.ts'

const day = 86_400_000
const now = 100 * day
const size = 1e12
const series: Series[] = [
  { id: 1, name: 'filesystem.used', labels: { mount: '/data' }, unit: 'bytes' },
  { id: 2, name: 'filesystem.available', labels: { mount: '/data' }, unit: 'bytes' },
  { id: 3, name: 'filesystem.used', labels: { mount: '/other' }, unit: 'bytes' },
]

/** A store in which /data held `usedAt(age)` bytes, each hour of the past week. */
function storeOf(usedAt: (ageMs: number) => number): TelemetryStore {
  return {
    chart: ({ hostId, seriesIds, fromMs, toMs }: ChartQuery) => {
      const timesMs = Float64Array.from({ length: 168 }, (_, hour) => now - (167 - hour) * 3_600_000)
      const columnOf = (id: number) =>
        timesMs.map((atMs) => (id === 1 ? usedAt(now - atMs) : size - usedAt(now - atMs)))
      return Promise.resolve(
        ok({
          hostId,
          fromMs,
          toMs,
          stepMs: 3_600_000,
          series: seriesIds.map((seriesId) => {
            const column = columnOf(seriesId)
            return { seriesId, timesMs, min: column, mean: column, max: column }
          }),
        }),
      )
    },
  } as unknown as TelemetryStore
}

describe('the forecast from a week of the past', () => {
  it('says when a filesystem that fills steadily will be full', async () => {
    // 60 % now, 5 points a day: full in 8 days.
    const forecasts = await longForecasts(
      'local',
      series,
      storeOf((age) => size * (0.6 - 0.05 * (age / day))),
      now,
    )
    expect(forecasts.map(({ subject }) => subject)).toEqual(['/data'])
    const [forecast] = forecasts
    expect(((forecast?.fullAtMs ?? 0) - now) / day).toBeCloseTo(8, 0)
    expect(forecast?.text).toContain('8 d')
  })

  it('says nothing of one that stands still or empties', async () => {
    expect(
      await longForecasts(
        'local',
        series,
        storeOf(() => size * 0.6),
        now,
      ),
    ).toEqual([])
    expect(
      await longForecasts(
        'local',
        series,
        storeOf((age) => size * (0.3 + 0.05 * (age / day))),
        now,
      ),
    ).toEqual([])
  })
})
