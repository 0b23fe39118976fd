import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createLocalMetricSource } from '../adapters/metrics/index.ts'
import { openTelemetryStore } from '../adapters/stores/telemetry/index.ts'
import { systemClock, systemRng } from '../adapters/system/index.ts'
import { Disposables, type Log } from '../engine/core/index.ts'
import { Engine } from '../engine/engine.ts'
import { version } from './version.ts'

export interface LocalEngineOptions {
  dataDirectory: string
  environment: string
  intervalMs: number
  log: Log
  /** Where the bundle put the store's worker; left out when running from source. */
  telemetryWorkerUrl?: URL
}

export interface LocalEngine extends AsyncDisposable {
  engine: Engine
}

/**
 * The engine of this machine with its real surroundings, not yet started. Both hosts (headless and the desktop's
 * engine process) are made from it. Throws AppError when the database cannot be had.
 */
export async function openLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  const clock = systemClock()
  const rng = systemRng()
  const held = new Disposables()
  await mkdir(options.dataDirectory, { recursive: true, mode: 0o700 })
  const telemetry = await openTelemetryStore({
    file: join(options.dataDirectory, 'telemetry.sqlite'),
    clock,
    ...(options.telemetryWorkerUrl ? { workerUrl: options.telemetryWorkerUrl } : {}),
  })
  if (!telemetry.ok) throw telemetry.error
  held.use(telemetry.value)
  const source = held.use(createLocalMetricSource({ clock, platform: process.platform }))
  const engine = new Engine({
    clock,
    rng,
    log: options.log,
    version,
    environment: options.environment,
    intervalMs: options.intervalMs,
    sources: [source],
    telemetry: telemetry.value,
    config: () => ({ file: null, environment: options.environment, entries: [] }),
    configStatus: { file: null, loadedAtMs: clock.nowMs(), problems: [] },
  })
  held.use(engine)
  return { engine, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() }
}
