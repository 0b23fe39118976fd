import { sleep, type Clock } from '../../base/index.ts'
import {
  hostsWithState,
  passedCheck,
  type HostState,
  type ReadinessCheck,
  type Trend,
} from '../../contract/index.ts'
import type { LiveStore, Supervisor } from '../core/index.ts'
import type { HostFact } from '../validation/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import type { SampleFeed } from '../live/index.ts'
import {
  changesOf,
  createHostMonitor,
  HostLoop,
  longForecasts,
  seriesText,
  type HealthMember,
  type HostMonitor,
  type Limits,
  type MetricSource,
  type TelemetryStore,
} from '../telemetry/index.ts'

export interface HostSettings {
  intervalMs: number
  limits: Limits
}

export interface HostRegistryParts {
  clock: Clock
  telemetry: TelemetryStore
  live: LiveStore
  feed: SampleFeed
  notices: NoticeBoard
  supervisor: Supervisor
  settings: HostSettings
  environment: string
}

interface Watched {
  source: MetricSource
  monitor: HostMonitor
  lastTurnMs: number
  /** Newest reading, in the order of the series; NaN is not measured. */
  values: Float64Array | undefined
}

/** What takes days to fill need not be forecast more often. */
const forecastEveryMs = 600_000

/**
 * Rows of a remote host kept in memory: a quarter of an hour at 1 Hz, what limits and trends look at by default. 1,000
 * hosts with 30 series then take 230 MB; with the hour of this machine they would take four times as much.
 */
const remoteRowCount = 900

const loopName = (hostId: string): string => `sampling ${hostId}`

/** The hosts that are watched, each with its loop, its state and its newest values. Hosts come and go while it runs. */
export class HostRegistry {
  readonly #parts: HostRegistryParts
  readonly #hosts = new Map<string, Watched>()
  #settings: HostSettings
  #environment: string
  #isRunning = false
  #isEnding = false

  constructor(parts: HostRegistryParts) {
    this.#parts = parts
    this.#settings = parts.settings
    this.#environment = parts.environment
  }

  start(): void {
    this.#isRunning = true
    for (const watched of this.#hosts.values()) this.#watch(watched)
    this.#parts.supervisor.add({ name: 'forecasts', run: (signal) => this.#forecast(signal) })
  }

  /** Nothing is started any more; the supervisor ends what runs. */
  end(): void {
    this.#isEnding = true
  }

  /** Watches another host. The caller owns the source and disposes it after `remove`. */
  add(source: MetricSource): void {
    const ringCapacity = source.isRemote ? { ringCapacity: remoteRowCount } : {}
    const monitor = createHostMonitor({ hostId: source.hostId, ...this.#settings, ...ringCapacity })
    const watched: Watched = { source, monitor, lastTurnMs: -Infinity, values: undefined }
    this.#hosts.set(source.hostId, watched)
    if (this.#isRunning) this.#watch(watched)
  }

  /** Watches a host no longer and takes it off the live state. Its stored samples stay. */
  async remove(hostId: string): Promise<void> {
    if (!this.#hosts.delete(hostId)) return
    await this.#parts.supervisor.remove(loopName(hostId))
    this.#parts.live.remove(`host:${hostId}`)
    this.#parts.live.remove(`hostState:${hostId}`)
  }

  /** Each host with its state, as checks ask for it. */
  facts(): HostFact[] {
    return hostsWithState(this.#parts.live.snapshot()).map(({ host, state }) => ({ name: host.name, state }))
  }

  setLimits(limits: Limits): void {
    this.#settings = { ...this.#settings, limits }
    for (const { monitor } of this.#hosts.values()) monitor.setLimits(limits)
  }

  /** Restarts the loops of all hosts: one that waits would keep to the earlier interval once more. */
  async setInterval(intervalMs: number): Promise<void> {
    this.#settings = { ...this.#settings, intervalMs }
    for (const watched of this.#hosts.values()) {
      await this.#parts.supervisor.remove(loopName(watched.source.hostId))
      if (this.#isEnding) return
      watched.monitor.setInterval(intervalMs)
      this.#watch(watched)
    }
  }

  setEnvironment(environment: string): void {
    this.#environment = environment
    const { live } = this.#parts
    for (const hostId of this.#hosts.keys()) {
      const host = live.get(`host:${hostId}`)
      if (host) live.put(`host:${hostId}`, { ...host, environment })
    }
  }

  /** A host whose loop waits to be restarted grows old all the same. */
  tick(): void {
    const { clock } = this.#parts
    const now = { atMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    for (const { monitor, lastTurnMs } of this.#hosts.values()) {
      if (now.monotonicMs - lastTurnMs < 2 * this.#settings.intervalMs) continue
      monitor.tick(now)
      this.#show(monitor.hostId, monitor.state())
    }
  }

  /** The health of each host, as the whole is made of. */
  health(): HealthMember[] {
    return [...this.#hosts.values()].map(({ monitor }) => ({
      health: monitor.state().health,
      lastScore: monitor.lastScore(),
    }))
  }

  /** When the newest sample of any host was taken, or null before the first. */
  newestSampleMs(): number | null {
    const newest = Math.max(
      0,
      ...[...this.#hosts.values()].map(({ monitor }) => monitor.state().quality.lastSampleMs),
    )
    return newest === 0 ? null : newest
  }

  /** Whether this machine is heard of. A remote host that is silent does not make this engine unfit. */
  checks(startedAtMs: number): ReadinessCheck[] {
    return [...this.#hosts.values()]
      .filter(({ source }) => !source.isRemote)
      .map(({ monitor }) => {
        const { freshness, reasons, lastSampleMs } = monitor.state().quality
        const isFresh = freshness !== 'stale'
        return {
          name: `telemetry of ${monitor.hostId}`,
          ok: isFresh,
          text: isFresh ? passedCheck : (reasons[0] ?? 'no reading yet'),
          sinceMs: isFresh ? startedAtMs : lastSampleMs,
        }
      })
  }

  get ids(): string[] {
    return [...this.#hosts.keys()]
  }

  source(hostId: string): MetricSource | undefined {
    return this.#hosts.get(hostId)?.source
  }

  seriesQuality(hostId: string) {
    return this.#hosts.get(hostId)?.monitor.seriesQuality() ?? []
  }

  /** Undefined where there is too little to say, or no such series. */
  trend(hostId: string, seriesId: number, windowMs: number): Trend | undefined {
    const slot = this.#parts.live.get(`host:${hostId}`)?.series.findIndex(({ id }) => id === seriesId) ?? -1
    return slot < 0 ? undefined : this.#hosts.get(hostId)?.monitor.trend(slot, windowMs)
  }

  /** Newest values of a host, in the order of its series; NaN is not measured. */
  latestValues(hostId: string): Float64Array | undefined {
    return this.#hosts.get(hostId)?.values
  }

  /** Newest values of a host by series (`disk.busy{device=sda}`), what was not measured left out. */
  latest(hostId: string): Record<string, number> {
    const host = this.#parts.live.get(`host:${hostId}`)
    const values = this.latestValues(hostId)
    const named = host?.series.map((series, slot): [string, number] => [
      seriesText(series),
      values?.[slot] ?? Number.NaN,
    ])
    return Object.fromEntries((named ?? []).filter(([, value]) => !Number.isNaN(value)))
  }

  #watch(watched: Watched): void {
    const { source, monitor } = watched
    const { clock, telemetry, live, feed, supervisor } = this.#parts
    const { hostId } = source
    const loop = new HostLoop({
      source,
      telemetry,
      monitor,
      clock,
      intervalMs: () => this.#settings.intervalMs,
      catalogChanged: (facts, series, catalogVersion) =>
        live.put(`host:${hostId}`, {
          id: hostId,
          name: facts.hostname,
          environment: this.#environment,
          facts,
          series: [...series],
          catalogVersion,
        }),
      sampled: ({ atMs, values }, seriesIds) => {
        watched.values = values
        feed.publish({ hostId, atMs, seriesIds, values })
      },
      judged: (state) => {
        watched.lastTurnMs = clock.monotonicMs()
        this.#show(hostId, state)
      },
    })
    supervisor.add({
      name: loopName(hostId),
      deadlineMs: Math.max(10_000, this.#settings.intervalMs * 5),
      run: (signal, heart) => loop.run(signal, () => heart.beat()),
    })
  }

  #show(hostId: string, state: HostState): void {
    if (!this.#hosts.has(hostId)) return
    const { live, notices } = this.#parts
    const host = live.get(`host:${hostId}`)
    if (host)
      for (const change of changesOf(host, live.get(`hostState:${hostId}`), state)) notices.post(change)
    live.put(`hostState:${hostId}`, state)
  }

  /** "Full in 4 days" needs days of the past, which only the store has. */
  async #forecast(signal: AbortSignal): Promise<void> {
    const { clock, telemetry, live } = this.#parts
    while (!signal.aborted) {
      await sleep(clock, forecastEveryMs, signal).catch(() => undefined)
      for (const { monitor } of this.#hosts.values()) {
        if (signal.aborted) return
        const series = live.get(`host:${monitor.hostId}`)?.series ?? []
        monitor.setLongForecasts(await longForecasts(monitor.hostId, series, telemetry, clock.nowMs()))
      }
    }
  }
}
