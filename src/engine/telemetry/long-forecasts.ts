import type { Forecast, Series } from '../../contract/index.ts'
import type { TelemetryStore } from './ports.ts'
import { forecastFull, trendOf } from './trend.ts'
import { seriesText } from './wording.ts'

const pastMs = 7 * 86_400_000
const pointCount = 1000

/**
 * When the filesystems of a host will be full, from a week of the past, which only the store has. A store that cannot
 * answer is thrown as its AppError.
 */
export async function longForecasts(
  hostId: string,
  series: readonly Series[],
  store: TelemetryStore,
  nowMs: number,
): Promise<Forecast[]> {
  const forecasts: Forecast[] = []
  for (const used of series.filter(({ name }) => name === 'filesystem.used')) {
    const mount = used.labels['mount'] ?? ''
    const available = series.find(
      ({ name, labels }) => name === 'filesystem.available' && labels['mount'] === mount,
    )
    if (!available) continue
    const chart = await store.chart({
      hostId,
      seriesIds: [used.id, available.id],
      fromMs: nowMs - pastMs,
      toMs: nowMs,
      maxPoints: pointCount,
    })
    if (!chart.ok) throw chart.error
    const [usedChart, availableChart] = chart.value.series
    if (!usedChart || !availableChart) continue
    // The two were measured together; a point that only one of them has is left out.
    const availableAt = new Map([...availableChart.timesMs].map((atMs, i) => [atMs, availableChart.mean[i]]))
    const shares = Float64Array.from(usedChart.timesMs, (atMs, i) => {
      const bytes = usedChart.mean[i] ?? Number.NaN
      return bytes / (bytes + (availableAt.get(atMs) ?? Number.NaN))
    })
    const forecast = forecastFull({
      subject: mount,
      series: seriesText(used),
      share: shares.findLast((share) => !Number.isNaN(share)) ?? Number.NaN,
      trend: trendOf(usedChart.timesMs, shares),
      nowMs,
    })
    if (forecast) forecasts.push(forecast)
  }
  return forecasts
}
