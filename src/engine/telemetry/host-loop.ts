import type { Host, HostFacts, Series } from '../../contract/index.ts'
import type { Clock, LiveStore, Log, Result } from '../core/index.ts'
import { sleep } from '../core/index.ts'
import type { SampleFeed } from '../live/index.ts'
import type { MetricSource, Reading, TelemetryStore } from './ports.ts'

export interface HostLoopOptions {
  source: MetricSource
  telemetry: TelemetryStore
  live: LiveStore
  feed: SampleFeed
  clock: Clock
  log: Log
  environment: string
  intervalMs: number
  /** Told of every reading, or of its failure, with the catalogue it belongs to. */
  observed: (reading: Result<Reading>, series: readonly Series[]) => void
}

/**
 * Samples one host on a steady grid: reads, stores, streams. A reading that takes too long costs its own slot,
 * not the ones after it.
 */
export class HostLoop {
  #options: HostLoopOptions
  #series: Series[] = []
  #seriesIds: number[] = []
  #catalogVersion = -1
  #facts: HostFacts | undefined

  constructor(options: HostLoopOptions) {
    this.#options = options
  }

  async run(signal: AbortSignal, beat: () => void): Promise<void> {
    const { clock, intervalMs, source } = this.#options
    this.#facts ??= await source.facts()
    let due = clock.monotonicMs()
    while (!signal.aborted) {
      beat()
      await this.sampleOnce()
      due = Math.max(due + intervalMs, clock.monotonicMs() - intervalMs)
      await sleep(clock, Math.max(0, due - clock.monotonicMs()), signal).catch(() => undefined)
    }
  }

  async sampleOnce(): Promise<void> {
    const { source, telemetry, feed, observed } = this.#options
    const reading = await source.read()
    if (reading.ok && reading.value.catalogVersion !== this.#catalogVersion) await this.#takeCatalog()
    observed(reading, this.#series)
    if (!reading.ok) return
    const { atMs, values } = reading.value
    telemetry.append(source.hostId, this.#seriesIds, { atMs, values })
    feed.publish({ hostId: source.hostId, atMs, seriesIds: this.#seriesIds, values })
  }

  async #takeCatalog(): Promise<void> {
    const { source, telemetry, live, environment } = this.#options
    const { version, series } = source.catalog()
    this.#series = await telemetry.registerSeries(source.hostId, series)
    this.#seriesIds = this.#series.map(({ id }) => id)
    this.#catalogVersion = version
    const facts = (this.#facts ??= await source.facts())
    const host: Host = {
      id: source.hostId,
      name: facts.hostname,
      environment,
      facts,
      series: this.#series,
      catalogVersion: version,
    }
    live.put(`host:${source.hostId}`, host)
  }
}
