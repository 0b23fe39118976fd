import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createLocalMetricSource } from '../adapters/metrics/index.ts'
import { openStateStore } from '../adapters/stores/state/index.ts'
import { openTelemetryStore } from '../adapters/stores/telemetry/index.ts'
import { EdgeClient } from '../adapters/targets/edge/index.ts'
import { systemClock, systemRng } from '../adapters/system/index.ts'
import type { ConfigProblem, Host, LiveRecords } from '../contract/index.ts'
import {
  changedSettings,
  describeConfig,
  type ChangedSetting,
  type Config,
  type LoadedConfig,
} from '../engine/config/index.ts'
import { AppError, Disposables, messageOf, type Log, type Result } from '../engine/core/index.ts'
import { Engine, type EngineSettings } from '../engine/index.ts'
import { defaultLimits } from '../engine/telemetry/index.ts'
import { edgeDirectory, edgeKeeper, edgeSocketPath, type EdgeProgram } from './edge/index.ts'
import { recordUpgrade, steer } from './steering/index.ts'
import { version } from './version.ts'
import type { HostFact } from '../engine/validation/index.ts'

export interface LocalEngineOptions {
  /** As loaded at the start; a change comes in through `applyConfig`. */
  config: LoadedConfig
  log: Log
  /** Where the bundle put the store's worker; left out when running from source. */
  telemetryWorkerUrl?: URL
  /** What runs the embedded platform, where this process's Node cannot. */
  edgeProgram?: EdgeProgram
}

export interface LocalEngine extends AsyncDisposable {
  engine: Engine
  /**
   * Takes a newer config into use (what needs a restart, as the data directory, waits for one), or shows why a
   * changed file was refused while the running one goes on.
   */
  configChanged(changed: Result<LoadedConfig, ConfigProblem[]>): void
}

/**
 * The engine of this machine with its real surroundings, not yet started. Both hosts (headless and the desktop's
 * engine process) are made from it. Throws AppError when a database cannot be had.
 */
export async function openLocalEngine(options: LocalEngineOptions): Promise<LocalEngine> {
  let loaded = options.config
  const { dataDirectory, environment, telemetry: wanted } = loaded.config
  const clock = systemClock()
  const held = new Disposables()
  try {
    await makeDirectory(dataDirectory)
    // First: its lock tells a second engine on the same directory apart, before that touches anything.
    const journal = await openStateStore({ file: join(dataDirectory, 'state.sqlite'), clock })
    if (!journal.ok) throw journal.error
    held.use(journal.value)
    const telemetry = await openTelemetryStore({
      file: join(dataDirectory, 'telemetry.sqlite'),
      clock,
      retention: {
        samplesMs: wanted.retention.rawMs,
        minutesMs: wanted.retention.minuteMs,
        hoursMs: wanted.retention.hourMs,
        bytesPerHost: wanted.retention.sizeBytesPerHost,
      },
      ...(options.telemetryWorkerUrl ? { workerUrl: options.telemetryWorkerUrl } : {}),
    })
    if (!telemetry.ok) throw telemetry.error
    held.use(telemetry.value)
    const source = held.use(createLocalMetricSource({ clock, platform: process.platform }))
    const rng = systemRng()
    const directory = edgeDirectory(dataDirectory)
    const edge = held.use(new EdgeClient({ socketPath: edgeSocketPath(directory) }))
    const store = journal.value.deployments
    const steering = steer({
      edge,
      store,
      service: (name) => engine.service(name),
      hosts: () => hostFacts(engine.live.snapshot()),
      clock,
      rng,
      log: options.log,
    })
    const declared = await store.declarations()
    if (!declared.ok) throw declared.error
    const engine: Engine = held.use(
      new Engine({
        clock,
        rng,
        log: options.log,
        version,
        environment,
        settings: settingsOf(loaded.config),
        sources: [source],
        telemetry: telemetry.value,
        journal: journal.value,
        steering: {
          ...steering,
          configured: loaded.config,
          declared: declared.value,
          store,
          loops: [
            edgeKeeper({
              directory,
              clock,
              log: options.log,
              isNeeded: () => engine.hasServices,
              onUpgrade: (upgrade) => recordUpgrade(upgrade, { store, clock, log: options.log }),
              program: options.edgeProgram,
            }),
          ],
        },
        config: () => describeConfig(loaded),
        configStatus: { file: loaded.file, loadedAtMs: clock.nowMs(), problems: [] },
      }),
    )
    await engine.prepare()
    return {
      engine,
      configChanged: (changed) => {
        const status = { file: loaded.file, loadedAtMs: clock.nowMs() }
        if (!changed.ok) {
          engine.live.put('config', { ...status, problems: changed.error })
          const [first] = changed.error
          engine.notices.post({
            severity: 'warning',
            text: `The changed configuration was refused${first ? ` (line ${first.line}: ${first.message})` : ''}; the earlier one stays in force`,
            link: '/settings',
          })
          return
        }
        const changes = changedSettings(loaded, changed.value)
        loaded = changed.value
        engine.applySettings(settingsOf(loaded.config))
        void engine.configure(loaded.config)
        engine.live.put('config', { ...status, problems: [] })
        if (changes.length > 0)
          engine.notices.post({ severity: 'info', text: changeText(changes), link: '/settings' })
      },
      [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
    }
  } catch (failure) {
    await held[Symbol.asyncDispose]()
    throw failure
  }
}

function settingsOf({ telemetry }: Config): EngineSettings {
  const { cpu, memory, disk } = telemetry.limits
  return {
    intervalMs: telemetry.intervalMs,
    limits: {
      ...defaultLimits,
      cpu: { ...defaultLimits.cpu, ...cpu },
      memory: { ...defaultLimits.memory, ...memory },
      disk: { ...defaultLimits.disk, ...disk },
    },
  }
}

function hostFacts(records: Partial<LiveRecords>): HostFact[] {
  return Object.entries(records).flatMap(([key, record]) => {
    if (!key.startsWith('host:')) return []
    const state = records[`hostState:${key.slice('host:'.length)}`]
    return state ? [{ name: (record as Host).name, state }] : []
  })
}

function changeText(changes: ChangedSetting[]): string {
  const [first] = changes
  const rest = changes.length > 1 ? ` and ${changes.length - 1} more` : ''
  return `Configuration changed: ${first?.path} from ${first?.from || 'unset'} to ${first?.to || 'unset'}${rest}`
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (failure) {
    throw new AppError(
      'UNAVAILABLE',
      `The data directory ${path} cannot be made: ${messageOf(failure)}. Name another with --data-dir.`,
      { cause: failure },
    )
  }
}
