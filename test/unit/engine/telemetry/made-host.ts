import type { SeriesName } from '../../../../src/contract/index.ts'
import { seriesNames } from '../../../../src/contract/index.ts'
import type { Catalog, Moment, Reading, SeriesKey } from '../../../../src/engine/telemetry/index.ts'

export const startMs = Date.UTC(2026, 0, 1)

export const key = (name: SeriesName, labels: Record<string, string> = {}): SeriesKey => ({
  name,
  labels,
  unit: seriesNames[name],
})

/** A host without troubles: half its memory, a third of its disk and a little CPU in use. */
export const calm: readonly [SeriesKey, number][] = [
  [key('cpu.busy'), 0.12],
  [key('cpu.iowait'), 0.01],
  [key('cpu.steal'), 0],
  [key('pressure.cpu.some'), 0.02],
  [key('memory.total'), 16e9],
  [key('memory.available'), 8e9],
  [key('swap.total'), 0],
  [key('swap.used'), 0],
  [key('filesystem.used', { mount: '/', device: '/dev/sda1' }), 30e9],
  [key('filesystem.available', { mount: '/', device: '/dev/sda1' }), 60e9],
  [key('network.packets_received', { interface: 'eth0' }), 5000],
  [key('network.receive_errors', { interface: 'eth0' }), 0],
  [key('temperature', { sensor: 'package' }), 52],
]

export const catalogOf = (host: readonly [SeriesKey, number][], version = 1): Catalog => ({
  version,
  series: host.map(([series]) => series),
})

/** Values of a host, with those of the named series replaced. */
export function valuesOf(
  host: readonly [SeriesKey, number][],
  replaced: Partial<Record<SeriesName, number>> = {},
): Float64Array {
  return Float64Array.from(host, ([{ name }, value]) => replaced[name as SeriesName] ?? value)
}

export const moment = (seconds: number): Moment => ({
  atMs: startMs + seconds * 1000,
  monotonicMs: 5000 + seconds * 1000,
})

export function readingAt(seconds: number, values: Float64Array, more: Partial<Reading> = {}): Reading {
  return { ...moment(seconds), catalogVersion: 1, values, counterResets: [], ...more }
}
