import { seededRng } from '../../src/base/index.ts'
import type { SeriesName } from '../../src/contract/index.ts'
import { seriesNames } from '../../src/contract/index.ts'
import {
  combineHealth,
  createHostMonitor,
  type Catalog,
  type Reading,
  type SeriesKey,
} from '../../src/engine/telemetry/index.ts'

const seriesCount = 110
const startMs = Date.UTC(2026, 0, 1)

/** What a host of a few disks, interfaces and cores reports: each name once, then cores to fill the rest. */
function catalogOf(): Catalog {
  const names = Object.entries(seriesNames) as [SeriesName, SeriesKey['unit']][]
  const series: SeriesKey[] = names.map(([name, unit]) => ({ name, labels: labelsOf(name), unit }))
  for (let core = 0; series.length < seriesCount; core++) {
    series.push({ name: 'cpu.core.busy', labels: { core: String(core) }, unit: 'ratio' })
  }
  return { version: 1, series }
}

function labelsOf(name: SeriesName): Record<string, string> {
  if (name.startsWith('filesystem.')) return { mount: '/', device: '/dev/sda1' }
  if (name.startsWith('disk.')) return { device: 'sda' }
  if (name.startsWith('network.')) return { interface: 'eth0' }
  return name === 'temperature' ? { sensor: 'package' } : {}
}

export interface DecisionsResult {
  seriesCount: number
  /** CPU of observing a reading and deciding the host's state, microseconds. */
  microsecondsAHost: number
  hostCount: number
  ringRows: number
  /** CPU of one second of all hosts and their common health, milliseconds; as a share of a core. */
  fleetMillisecondsASecond: number
  fleetCoreShare: number
  heapBytesAHost: number
}

/** Feeds `hostCount` monitors `seconds` of moving values at 1 Hz; gives CPU in ms for each second after the warm-up. */
function feed(hostCount: number, seconds: number, warmUpSeconds: number, ringCapacity: number) {
  const catalog = catalogOf()
  const rng = seededRng(1)
  const base = Float64Array.from(
    catalog.series,
    ({ unit }) => (unit === 'ratio' ? 0.4 : 1e6) * (0.5 + rng.next()),
  )
  const values = new Float64Array(seriesCount)
  const before = process.memoryUsage()
  const monitors = Array.from({ length: hostCount }, (_, i) =>
    createHostMonitor({ hostId: `host-${i}`, intervalMs: 1000, ringCapacity }),
  )
  let score = 0
  let startedAt = process.cpuUsage()
  for (let second = 0; second < seconds; second++) {
    if (second === warmUpSeconds) startedAt = process.cpuUsage()
    const moment = { atMs: startMs + second * 1000, monotonicMs: second * 1000 }
    for (const monitor of monitors) {
      for (let slot = 0; slot < seriesCount; slot++)
        values[slot] = (base[slot] ?? 0) * (0.9 + 0.2 * rng.next())
      const reading: Reading = { ...moment, catalogVersion: 1, values, counterResets: [] }
      monitor.observe(reading, catalog, moment)
      monitor.tick(moment)
      monitor.state()
    }
    const members = monitors.map((monitor) => ({
      health: monitor.state().health,
      lastScore: monitor.lastScore(),
    }))
    score += combineHealth(members).score ?? 0
  }
  const { user, system } = process.cpuUsage(startedAt)
  const after = process.memoryUsage()
  if (!(score >= 0)) throw new Error('health was not computed')
  return {
    millisecondsASecond: (user + system) / 1000 / (seconds - warmUpSeconds),
    bytes: after.heapUsed + after.external - before.heapUsed - before.external,
  }
}

/** The same loop without the monitors: what making up the values costs. */
function valuesAlone(hostCount: number, seconds: number): number {
  const rng = seededRng(1)
  const values = new Float64Array(seriesCount)
  const startedAt = process.cpuUsage()
  for (let i = 0; i < hostCount * seconds; i++) {
    for (let slot = 0; slot < seriesCount; slot++) values[slot] = slot * (0.9 + 0.2 * rng.next())
  }
  const { user, system } = process.cpuUsage(startedAt)
  return (user + system) / 1000 / seconds
}

/** Cost of quality, limits, trends and health: one host with the default ring, and 1,000 with ten minutes each. */
export function run(): DecisionsResult {
  const hostCount = 1000
  const ringRows = 600
  valuesAlone(hostCount, 5)
  const one = feed(1, 20_000, 5000, 3600).millisecondsASecond - valuesAlone(1, 20_000)
  const fleet = feed(hostCount, 100, 20, ringRows)
  const fleetMs = fleet.millisecondsASecond - valuesAlone(hostCount, 20)
  return {
    seriesCount,
    microsecondsAHost: one * 1000,
    hostCount,
    ringRows,
    fleetMillisecondsASecond: fleetMs,
    fleetCoreShare: fleetMs / 1000,
    heapBytesAHost: fleet.bytes / hostCount,
  }
}

if (import.meta.main) {
  const result = run()
  console.table({
    [`observe + health, ${result.seriesCount} values`]: `${result.microsecondsAHost.toFixed(1)} us CPU a reading`,
    [`${result.hostCount} hosts at 1 Hz`]: `${result.fleetMillisecondsASecond.toFixed(1)} ms a second (${(result.fleetCoreShare * 100).toFixed(1)} % of a core)`,
    [`memory a host (ring of ${result.ringRows} rows)`]: `${(result.heapBytesAHost / 1024).toFixed(0)} KiB`,
  })
}
