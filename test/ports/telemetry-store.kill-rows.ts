import type { SeriesKey } from '../../src/engine/telemetry/index.ts'

/** Two groups of series, whose values follow from the time alone: an invented row would not fit. */
export const killedKeys: SeriesKey[] = Array.from({ length: 20 }, (_, i) => ({
  name: 'processes.count',
  labels: { part: `${i}` },
  unit: 'count',
}))

export const killedValues = (atMs: number): Float64Array =>
  Float64Array.from(killedKeys, (_, i) => ((atMs / 1000) * (2 * i + 1) * 7919) % 1_000_003)
