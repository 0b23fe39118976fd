import type { ConfigEntries, ConfigStatus, Notice, ReadinessCheck, SeriesQuality } from '../contract/index.ts'
import { createRouter, type ApiRouter } from './api/index.ts'
import { Disposables, LiveStore, Supervisor, type Clock, type Log, type Rng } from './core/index.ts'
import { SampleFeed } from './live/index.ts'
import { HostLoop, type MetricSource, type TelemetryStore } from './telemetry/index.ts'

export interface EngineParts {
  clock: Clock
  rng: Rng
  log: Log
  version: string
  environment: string
  intervalMs: number
  sources: readonly MetricSource[]
  telemetry: TelemetryStore
  config: () => ConfigEntries
  configStatus: ConfigStatus
}

/**
 * The product without its surroundings: samples hosts, keeps their state, answers the contract. Everything outside
 * it comes in through `EngineParts`, which the caller owns and disposes after the engine.
 */
export class Engine implements AsyncDisposable {
  /** Names this launch; another one tells consumers that all they knew is void. */
  readonly epoch: string
  readonly live = new LiveStore()
  readonly feed = new SampleFeed()
  readonly router: ApiRouter
  readonly parts: EngineParts
  readonly #supervisor: Supervisor
  readonly #held = new Disposables()
  readonly #startedAtMs: number
  readonly #latest = new Map<string, Record<string, number>>()

  constructor(parts: EngineParts) {
    this.parts = parts
    this.epoch = parts.rng.hex(8)
    this.#startedAtMs = parts.clock.nowMs()
    this.#supervisor = new Supervisor(parts)
    this.router = createRouter({
      live: this.live,
      telemetry: parts.telemetry,
      source: (hostId) => parts.sources.find((source) => source.hostId === hostId),
      quality: (_hostId): SeriesQuality[] => [],
      config: parts.config,
    })
    this.live.put('config', parts.configStatus)
    this.live.put('notices', [] as Notice[])
  }

  start(): void {
    const { clock, log, sources, telemetry, environment, intervalMs } = this.parts
    for (const source of sources) {
      const loop = new HostLoop({
        source,
        telemetry,
        live: this.live,
        feed: this.feed,
        clock,
        log,
        environment,
        intervalMs,
        observed: () => undefined,
      })
      this.#supervisor.add({
        name: `sampling ${source.hostId}`,
        deadlineMs: Math.max(10_000, intervalMs * 5),
        run: (signal, heart) => loop.run(signal, () => heart.beat()),
      })
    }
    this.#showStatus()
    this.#held.use(this.#supervisor.subscribe(() => this.#showStatus()))
    this.#held.use(clock.every(1000, () => this.#showStatus()))
  }

  /** Newest values of a host by series name (labels in braces), NaN left out. */
  latest(hostId: string): Record<string, number> {
    return this.#latest.get(hostId) ?? {}
  }

  /** What must hold for this engine to be relied on, each with its reason. */
  checks(): ReadinessCheck[] {
    const store = this.parts.telemetry.status()
    return [
      ...this.#supervisor.checks(),
      {
        name: 'telemetry database',
        ok: store.isWritable,
        text: store.isWritable ? 'writable' : store.reason,
        sinceMs: this.#startedAtMs,
      },
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.stop()
    await this.#held[Symbol.asyncDispose]()
    await this.parts.telemetry.flush()
  }

  #showStatus(): void {
    this.live.put('engine', {
      version: this.parts.version,
      environment: this.parts.environment,
      startedAtMs: this.#startedAtMs,
      checks: this.checks(),
    })
  }
}
