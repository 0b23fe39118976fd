import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { openTelemetryStore } from '../../src/adapters/stores/telemetry/index.ts'
import { systemClock } from '../../src/adapters/system/index.ts'
import { scriptedEngine } from '../support/scripted-engine.ts'
import { simulatedHost } from '../support/simulated-host.ts'

const hostCount = 1000
const seriesCount = 30
const warmUpMs = 15_000
const measuredMs = 30_000

/** An engine that watches many hosts in this process: what each costs beyond reading it, storage included. */
export interface FleetResult {
  hostCount: number
  seriesCount: number
  /** Of the whole process: monitors, health, live state, storage. Goal: one core. */
  coreShare: number
  /** Goal: 1 GiB. */
  residentMegabytes: number
  heapMegabytes: number
  /** Rows that arrived in the measured time, of those that were due. */
  sampledShare: number
  /** The worst time that a timer of 10 ms came late. */
  worstTimerDelayMs: number
  databaseMegabytes: number
}

export async function run(): Promise<FleetResult> {
  const directory = mkdtempSync(join(tmpdir(), 'ph-fleet-'))
  const file = join(directory, 'telemetry.sqlite')
  const clock = systemClock()
  const opened = await openTelemetryStore({ file, clock })
  if (!opened.ok) throw opened.error
  try {
    await using telemetry = opened.value
    await using engine = scriptedEngine(1, { clock, intervalMs: 1000, telemetry }).engine
    engine.start()
    for (let n = 0; n < hostCount; n++) {
      const cpu = () => 0.5 + 0.4 * Math.sin(clock.monotonicMs() / 5000 + n)
      engine.hosts.add(simulatedHost(`host-${n}`, { clock, seriesCount, cpu }))
      // Spread over the second, as hosts that started at different times are.
      if (n % 20 === 19) await wait(1)
    }
    await wait(warmUpMs)
    let rowCount = 0
    engine.feed.subscribe(() => rowCount++)
    let [worstTimerDelayMs, lastAt] = [0, performance.now()]
    const timer = setInterval(() => {
      const now = performance.now()
      worstTimerDelayMs = Math.max(worstTimerDelayMs, now - lastAt - 10)
      lastAt = now
    }, 10)
    const before = process.cpuUsage()
    const startedAt = performance.now()
    await wait(measuredMs)
    const tookMs = performance.now() - startedAt
    const { user, system } = process.cpuUsage(before)
    clearInterval(timer)
    const { rss, heapUsed } = process.memoryUsage()
    return {
      hostCount,
      seriesCount,
      coreShare: (user + system) / 1000 / tookMs,
      residentMegabytes: rss / 1e6,
      heapMegabytes: heapUsed / 1e6,
      sampledShare: rowCount / ((hostCount + 1) * (tookMs / 1000)),
      worstTimerDelayMs,
      databaseMegabytes: statSync(file).size / 1e6,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
