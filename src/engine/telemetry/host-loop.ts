import { sleep, type Clock } from '../../base/index.ts'
import type { HostFacts, HostState, Series } from '../../contract/index.ts'
import type { HostMonitor } from './host-monitor.ts'
import type { MetricSource, Reading, TelemetryStore } from './ports.ts'

export interface HostLoopOptions {
  source: MetricSource
  telemetry: TelemetryStore
  monitor: HostMonitor
  clock: Clock
  intervalMs: () => number
  /** The host's list of series is new or has grown. */
  catalogChanged: (facts: HostFacts, series: readonly Series[], version: number) => void
  /** A reading that is new in time: `values[i]` belongs to `seriesIds[i]`. */
  sampled: (reading: Reading, seriesIds: readonly number[]) => void
  /** After each turn, with or without a reading. */
  judged: (state: HostState) => void
}

/**
 * Samples one host on a steady grid: reads, decides, stores. A reading that takes too long costs its own place in the
 * grid, not the ones after it.
 */
export class HostLoop {
  readonly #options: HostLoopOptions
  #series: readonly Series[] = []
  #seriesIds: readonly number[] = []
  #catalogVersion = -1

  constructor(options: HostLoopOptions) {
    this.#options = options
  }

  /** Runs until `signal` is aborted; a reading that fails rejects, after time has passed for the host's state. */
  async run(signal: AbortSignal, beat: () => void): Promise<void> {
    const { clock, intervalMs } = this.#options
    let due = clock.monotonicMs()
    while (!signal.aborted) {
      beat()
      await this.#turn()
      due = Math.max(due + intervalMs(), clock.monotonicMs())
      await sleep(clock, Math.max(0, due - clock.monotonicMs()), signal).catch(() => undefined)
    }
  }

  async #turn(): Promise<void> {
    const { source, monitor, clock, telemetry, sampled, judged } = this.#options
    const result = await source.read()
    const now = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    if (!result.ok) {
      monitor.tick(now)
      judged(monitor.state())
      throw result.error
    }
    if (result.value.catalogVersion !== this.#catalogVersion) await this.#takeCatalog()
    const reading = widened(result.value, this.#series.length)
    const place = monitor.observe(reading, { version: this.#catalogVersion, series: this.#series }, now)
    if (place === 'first' || place === 'newer') {
      telemetry.append(source.hostId, this.#seriesIds, { atMs: reading.atMs, values: reading.values })
      sampled(reading, this.#seriesIds)
    }
    judged(monitor.state())
  }

  async #takeCatalog(): Promise<void> {
    const { source, telemetry, catalogChanged } = this.#options
    const { version, series } = source.catalog()
    const facts = await source.facts()
    this.#series = await telemetry.registerSeries(source.hostId, series)
    this.#seriesIds = this.#series.map(({ id }) => id)
    this.#catalogVersion = version
    catalogChanged(facts, this.#series, version)
  }
}

/** A reading taken just before its catalogue grew, with NaN for what it does not know. */
function widened(reading: Reading, width: number): Reading {
  if (reading.values.length >= width) return reading
  const values = new Float64Array(width).fill(Number.NaN)
  values.set(reading.values)
  return { ...reading, values }
}
