import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError, Disposables, messageOf, type Log, type Result } from '../base/index.ts'
import { createLocalMetricSource } from '../adapters/metrics/index.ts'
import { edgePlatform } from '../adapters/platforms/edge/index.ts'
import { newestBackup, openAuditSeal, openStateStore } from '../adapters/stores/state/index.ts'
import { openTelemetryStore, type RetainingStore } from '../adapters/stores/telemetry/index.ts'
import {
  accountProblem,
  makePrivateDirectory,
  makePrivateTree,
  systemClock,
  systemRng,
} from '../adapters/system/index.ts'
import { type ConfigProblem } from '../contract/index.ts'
import { audited, newKeyEntry, sealTroubleText, type AuditDraft } from '../engine/audit/index.ts'
import { RunningConfig, type Config, type LoadedConfig, type LogLevel } from '../engine/config/index.ts'
import type { Stores } from '../engine/stores.ts'
import { Engine, type EngineSettings } from '../engine/index.ts'
import { defaultLimits } from '../engine/telemetry/index.ts'
import { ConfigRecord } from './config-record.ts'
import { edgeClient, edgeDirectory, edgeKeeper, workDirectory, type EdgeProgram } from './edge/index.ts'
import { edgeOrderTaker, steer, takeEdgeOrders } from './steering/index.ts'
import { version } from './version.ts'

export interface LocalEngineOptions {
  /** As loaded at the start; a change comes in through `applyConfig`. */
  config: LoadedConfig
  log: Log
  /** Takes a changed level into use. */
  setLogLevel?: (level: LogLevel) => void
  /** Sections of the config that mean nothing to this program. */
  unused?: readonly string[]
  /** Where the bundle put the store's worker; left out when running from source. */
  telemetryWorkerUrl?: URL
  /** What runs the embedded platform, where this process's Node cannot. */
  edgeProgram?: EdgeProgram
}

export interface LocalEngine extends AsyncDisposable {
  engine: Engine
  /** Tells where people reach the screens, as an origin: what is sent to them links there from now on. */
  reachedAt(origin: string): void
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
  const started = options.config
  let origin: string | null = null
  const { dataDirectory, environment } = started.config
  const clock = systemClock()
  const held = new Disposables()
  try {
    makeDataDirectory(dataDirectory)
    // First: its lock tells a second engine on the same directory apart, before that touches anything.
    const rng = systemRng()
    const stateFile = join(dataDirectory, 'state.sqlite')
    const isLost = isStateLost(dataDirectory)
    const seal = openAuditSeal(dataDirectory, { rng, log: options.log })
    const isKeyNew = seal.isNew
    const journal = await openStateStore({ file: stateFile, clock, seal, wasUsed: isLost })
    if (!journal.ok) throw atStart(journal.error)
    held.use(journal.value)
    const { stores } = journal.value
    const end = await stores.audit.auditEnd()
    const sealTrouble = isLost || !end.ok ? null : sealTroubleText(end.value, isKeyNew)
    const newKey = isKeyNew && end.ok ? newKeyEntry(end.value, clock.nowMs()) : null
    if (newKey) await record(stores, newKey)
    const telemetry = await openTelemetryStore({
      file: join(dataDirectory, 'telemetry.sqlite'),
      clock,
      retention: retentionOf(started.config),
      ...(options.telemetryWorkerUrl ? { workerUrl: options.telemetryWorkerUrl } : {}),
    })
    if (!telemetry.ok) throw atStart(telemetry.error)
    held.use(telemetry.value)
    const source = held.use(createLocalMetricSource({ clock, platform: process.platform }))
    const directory = edgeDirectory(dataDirectory)
    const edge = held.use(edgeClient(directory))
    const steering = steer({
      platforms: [edgePlatform(edge)],
      stores,
      service: (name) => engine.service(name),
      hosts: () => engine.hosts.facts(),
      workDirectory: workDirectory(directory),
      origin: () => origin,
      clock,
      rng,
      log: options.log,
    })
    const configRecord = new ConfigRecord({
      dataDirectory,
      clock,
      log: options.log,
      append: (draft) => record(stores, draft),
    })
    const running = new RunningConfig({
      clock,
      standpoint: { started, unused: options.unused ?? [] },
      take: (config) => {
        for (const { take } of effects) take(config, surroundings)
      },
      record: configRecord,
    })
    const declared = await stores.declarations.all()
    if (!declared.ok) throw declared.error
    const engine: Engine = held.use(
      new Engine({
        clock,
        rng,
        log: options.log,
        version,
        environment,
        dataDirectory,
        settings: settingsOf(started.config),
        sources: [source],
        telemetry: telemetry.value,
        journal: journal.value,
        steering: {
          ...steering,
          accountProblem,
          configured: started.config,
          declared: declared.value,
          stores,
          loops: [
            edgeKeeper({
              directory,
              clock,
              log: options.log,
              isNeeded: () => engine.hasServices,
              onTrouble: (text) => engine.notices.post({ severity: 'warning', text, link: '/services' }),
              program: options.edgeProgram,
            }),
            edgeOrderTaker(directory, { stores, clock, log: options.log }),
          ],
        },
        config: () => running.entries(),
        concerns: isLost ? [{ name: 'earlier state database', text: lostText(stateFile) }] : [],
        configStatus: running.status,
      }),
    )
    const surroundings: SettingsTakers = {
      engine,
      telemetry: telemetry.value,
      setLogLevel: (level) => options.setLogLevel?.(level),
      failed: (failure) => {
        const message = messageOf(failure)
        options.log.error('a changed configuration could not be applied', { failure: message })
        void configRecord.refused([{ file: running.loaded.file ?? '', line: 0, column: 0, message }])
      },
    }
    await engine.prepare()
    await configRecord.opened(started)
    await takeEdgeOrders(directory, { stores, log: options.log })
    if (isLost) {
      options.log.error('the state database was lost', { file: stateFile })
      engine.notices.post({ severity: 'critical', text: lostText(stateFile), link: '/activity' })
    }
    if (sealTrouble !== null) {
      options.log.error('the audit log cannot be trusted', { trouble: sealTrouble })
      engine.notices.post({ severity: 'critical', text: sealTrouble, link: '/activity' })
    }
    return {
      engine,
      reachedAt: (known) => (origin = known),
      configChanged: (changed) => running.change(changed, engine),
      [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
    }
  } catch (failure) {
    await held[Symbol.asyncDispose]()
    throw failure
  }
}

interface SettingsTakers {
  engine: Engine
  telemetry: RetainingStore
  setLogLevel: (level: LogLevel) => void
  failed: (failure: unknown) => void
}

type Effect = (config: Config, surroundings: SettingsTakers) => void

/**
 * What takes changed settings into use, and which parts of the config it answers for. Each setting that does not wait
 * for a restart belongs to one of these.
 */
export const effects: readonly { parts: readonly string[]; take: Effect }[] = [
  { parts: ['environment'], take: ({ environment }, { engine }) => engine.applyEnvironment(environment) },
  { parts: ['logging.level'], take: ({ logging }, { setLogLevel }) => setLogLevel(logging.level) },
  {
    parts: ['telemetry.interval', 'telemetry.limits', 'health', 'display'],
    take: (config, { engine }) => engine.applySettings(settingsOf(config)),
  },
  {
    parts: ['telemetry.retention'],
    take: (config, { telemetry }) => telemetry.retain(retentionOf(config)),
  },
  {
    parts: ['deploy', 'services'],
    take: (config, { engine, failed }) => void engine.configure(config).catch(failed),
  },
]

const retentionOf = ({ telemetry: { retention } }: Config) => ({
  samplesMs: retention.rawMs,
  minutesMs: retention.minuteMs,
  hoursMs: retention.hourMs,
  bytesPerHost: retention.sizeBytesPerHost,
})

function settingsOf({ telemetry, health, display }: Config): EngineSettings {
  const { cpu, memory, disk } = telemetry.limits
  return {
    minHealthScore: health.minReadyScore,
    timeZone: display.timeZone,
    intervalMs: telemetry.intervalMs,
    limits: {
      ...defaultLimits,
      cpu: { ...defaultLimits.cpu, ...cpu },
      memory: { ...defaultLimits.memory, ...memory },
      disk: { ...defaultLimits.disk, ...disk },
    },
  }
}

const lostText = (file: string): string =>
  `${file} was missing at this start, although the data directory was in use: earlier deployments, releases and audit entries are gone. Stop the engine and restore the newest file from ${join(dirname(file), 'backups')}, or restart the engine to continue without them.`

/** Whether there was a state database before: what is always made with it is there, or it was backed up, or sealed. */
function isStateLost(dataDirectory: string): boolean {
  const size = (name: string) => statSync(join(dataDirectory, name), { throwIfNoEntry: false })?.size ?? 0
  if (size('state.sqlite') > 0) return false
  return (
    size('audit.anchor') > 0 ||
    size('telemetry.sqlite') > 0 ||
    newestBackup(join(dataDirectory, 'state.sqlite')) !== null
  )
}

async function record({ work }: Stores, draft: AuditDraft): Promise<void> {
  await work.commit(audited([draft]))
}

/** What an engine, its edge and the command line make in a data directory. */
const dataNames = [
  'state.sqlite',
  'telemetry.sqlite',
  'backups',
  'logs',
  'edge',
  'demo',
  'server.json',
  'sessions.json',
  'config-last.json',
  'audit.',
] as const

/** The same failure, with advice for an engine that does not run: nothing continues by itself. */
const atStart = (failure: AppError): AppError =>
  failure.code === 'STORE_FULL'
    ? new AppError('STORE_FULL', failure.message, {
        cause: failure,
        remedy: 'Free disk space, then start the engine again.',
      })
    : failure

/** Makes the data directory private, with all of an earlier version that is in it. Throws AppError. */
function makeDataDirectory(path: string): void {
  try {
    makePrivateDirectory(path, dataNames)
    const ours = readdirSync(path).filter((name) => dataNames.some((known) => name.startsWith(known)))
    for (const name of ours) makePrivateTree(join(path, name))
  } catch (failure) {
    if (failure instanceof AppError) throw failure
    throw new AppError(
      'UNAVAILABLE',
      `The data directory ${path} cannot be created: ${messageOf(failure)}. Name another with --data-dir.`,
      { cause: failure },
    )
  }
}
