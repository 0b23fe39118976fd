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
import {
  configRejectedText,
  engineActor,
  hostsWithState,
  type ConfigProblem,
  type LiveRecords,
} from '../contract/index.ts'
import { audited, type AuditDraft } from '../engine/audit/index.ts'
import {
  changedSettings,
  describeConfig,
  type ChangedSetting,
  type Config,
  type LoadedConfig,
  type LogLevel,
  type Standpoint,
} from '../engine/config/index.ts'
import type { Stores } from '../engine/stores.ts'
import { Engine, type EngineSettings } from '../engine/index.ts'
import { defaultLimits } from '../engine/telemetry/index.ts'
import { ConfigRecord } from './config-record.ts'
import { edgeClient, edgeDirectory, edgeKeeper, workDirectory, type EdgeProgram } from './edge/index.ts'
import { edgeOrderTaker, steer, takeEdgeOrders } from './steering/index.ts'
import { version } from './version.ts'
import type { HostFact } from '../engine/validation/index.ts'

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
  let loaded = started
  let origin: string | null = null
  const standpoint: Standpoint = { started, unused: options.unused ?? [] }
  const { dataDirectory, environment } = loaded.config
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
    const sealTrouble = isLost ? null : await troubleOf(stores, isKeyNew)
    if (isKeyNew) await recordNewKey(stores, clock.nowMs())
    const telemetry = await openTelemetryStore({
      file: join(dataDirectory, 'telemetry.sqlite'),
      clock,
      retention: retentionOf(loaded.config),
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
      hosts: () => hostFacts(engine.live.snapshot()),
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
        settings: settingsOf(loaded.config),
        sources: [source],
        telemetry: telemetry.value,
        journal: journal.value,
        steering: {
          ...steering,
          accountProblem,
          configured: loaded.config,
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
        config: () => describeConfig(loaded, standpoint),
        concerns: isLost ? [{ name: 'earlier state database', text: lostText(stateFile) }] : [],
        configStatus: { file: loaded.file, loadedAtMs: clock.nowMs(), problems: [] },
      }),
    )
    await engine.prepare()
    await configRecord.opened(loaded)
    await takeEdgeOrders(directory, { stores, log: options.log })
    if (isLost) {
      options.log.error('the state database was lost', { file: stateFile })
      engine.notices.post({ severity: 'critical', text: lostText(stateFile), link: '/activity' })
    }
    if (sealTrouble !== null) {
      options.log.error('the audit log cannot be trusted', { trouble: sealTrouble })
      engine.notices.post({ severity: 'critical', text: sealTrouble, link: '/activity' })
    }
    const surroundings: Surroundings = {
      engine,
      telemetry: telemetry.value,
      setLogLevel: (level) => options.setLogLevel?.(level),
      failed: (failure) => {
        const message = messageOf(failure)
        options.log.error('a changed configuration could not be applied', { failure: message })
        void configRecord.refused([{ file: loaded.file ?? '', line: 0, column: 0, message }])
      },
    }
    return {
      engine,
      reachedAt: (known) => (origin = known),
      configChanged: (changed) => {
        const pendingIn = (config: LoadedConfig) =>
          changedSettings(started, config, standpoint)
            .filter(({ effect }) => effect === 'restart')
            .map(({ path, from, to }) => ({ path, running: from, value: to }))
        const status = { file: loaded.file, loadedAtMs: clock.nowMs(), pending: pendingIn(loaded) }
        if (!changed.ok) {
          void configRecord.refused(changed.error)
          engine.live.put('config', { ...status, problems: changed.error })
          engine.notices.post({
            severity: 'warning',
            text: configRejectedText(changed.error),
            link: '/settings',
          })
          return
        }
        const changes = changedSettings(loaded, changed.value, standpoint)
        loaded = changed.value
        for (const { take } of effects) take(loaded.config, surroundings)
        engine.live.put('config', { ...status, file: loaded.file, pending: pendingIn(loaded), problems: [] })
        if (changes.length > 0) void configRecord.changed(loaded, changes)
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

interface Surroundings {
  engine: Engine
  telemetry: RetainingStore
  setLogLevel: (level: LogLevel) => void
  failed: (failure: unknown) => void
}

type Effect = (config: Config, surroundings: Surroundings) => void

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

const hostFacts = (records: Partial<LiveRecords>): HostFact[] =>
  hostsWithState(records).map(({ host, state }) => ({ name: host.name, state }))

/** What changed, and what of it is not in force yet. */
export function changeText(changes: readonly ChangedSetting[]): string {
  const [first] = changes
  const rest = changes.length > 1 ? ` and ${changes.length - 1} more` : ''
  const text = `Configuration changed: ${first?.path} from ${first?.from || 'unset'} to ${first?.to || 'unset'}${rest}`
  const waiting = changes.filter(({ effect }) => effect === 'restart').map(({ path }) => path)
  const unused = changes.filter(({ effect }) => effect === 'unused').map(({ path }) => path)
  return [
    text,
    ...(waiting.length > 0 ? [`After a restart: ${waiting.join(', ')}`] : []),
    ...(unused.length > 0 ? [`The desktop app does not use ${unused.join(', ')}`] : []),
  ].join('. ')
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

/** What is wrong with the seal of the audit log at this start, as a sentence; null when nothing is. */
async function troubleOf({ audit }: Stores, isKeyNew: boolean): Promise<string | null> {
  const end = await audit.auditEnd()
  if (!end.ok) return null
  const { anchor, seal, vouchesFrom = null } = end.value
  const check = 'Run: pilothouse audit verify'
  if (vouchesFrom !== null && isKeyNew)
    return `audit.key was missing, although the audit log was sealed with it: a new key seals it from now on. ${check}`
  if (anchor === null)
    return `audit.anchor is missing, so the end of the audit log cannot be verified. ${check}`
  if (seal === 'broken') return `The end of the audit log has no valid seal. ${check}`
  return null
}

/**
 * From here on the log has a seal; what was written before the key has none. An empty log needs no such entry, unless it
 * had a key before.
 */
async function recordNewKey(stores: Stores, atMs: number): Promise<void> {
  const end = await stores.audit.auditEnd()
  if (!end.ok) return
  const isEmpty = end.value.seq === 0 && (end.value.anchor?.seq ?? 0) === 0
  if (isEmpty && (end.value.vouchesFrom ?? null) === null) return
  await record(stores, {
    atMs,
    actor: engineActor,
    action: 'audit.seal',
    target: 'audit',
    why: 'There was no key in the data directory. Entries before this one are chained, but not sealed by it.',
    details: {},
  })
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
