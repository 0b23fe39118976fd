import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AppError, Disposables, type Log, type Result } from '../../base/index.ts'
import { type ConfigProblem } from '../../contract/index.ts'
import type { LoadedConfig, LogLevel } from '../../engine/config/index.ts'
import type { Engine } from '../../engine/index.ts'
import { openLocalEngine } from '../local-engine.ts'
import { openDoor, type EngineAccess } from './door.ts'

export interface ServeOptions {
  config: LoadedConfig
  log: Log
  /** Takes a changed level of the log into use. */
  setLogLevel?: (level: LogLevel) => void
  /** Of the configured secret; undefined makes one for this launch. */
  token?: string
  /** Bundle of the screens; the built one by default. */
  screens?: string
  telemetryWorkerUrl?: URL
}

export interface Served extends AsyncDisposable {
  port: number
  access: EngineAccess
  /** A new address that opens one page, once. */
  launchUrl(): string
  /** Whether the page of a launch address has not been opened yet. */
  isPending(launchUrl: string): boolean
  engine: Engine
  /** Takes a newer config into use, or shows why a changed file was refused. */
  configChanged(changed: Result<LoadedConfig, ConfigProblem[]>): void
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** Starts the engine and serves it over HTTP and WebSocket. Throws AppError with what stands in the way. */
export async function serve(options: ServeOptions): Promise<Served> {
  const { server } = options.config.config
  if (!loopback.has(server.host)) {
    throw new AppError(
      'UNSUPPORTED',
      `Refused to listen on ${server.host}: this version serves loopback (127.0.0.1, ::1) only.`,
      { remedy: 'Set server.host to 127.0.0.1. For other machines, put a proxy with TLS in front.' },
    )
  }
  const screens = options.screens ?? fileURLToPath(new URL('../renderer', import.meta.url))
  if (!existsSync(screens)) {
    throw new AppError('NOT_FOUND', `The screens are not built: there is no ${screens}.`, {
      remedy: 'Run: npm run build',
    })
  }
  const held = new Disposables()
  try {
    const local = held.use(await openLocalEngine(options))
    const { engine } = local
    const door = held.use(
      await openDoor({
        engine,
        dataDirectory: options.config.config.dataDirectory,
        address: server.host,
        port: server.port,
        token: options.token,
        allowedHosts: server.allowedOrigins.map((origin) => new URL(origin).host),
        screens,
        log: options.log,
      }),
    )
    // Behind a proxy, people know the address of the proxy.
    local.reachedAt(server.allowedOrigins[0] ?? door.access.url)
    engine.start()
    await door.announce()
    return {
      port: door.port,
      access: door.access,
      launchUrl: () => door.launchUrl(),
      isPending: (url) => door.isPending(url),
      engine,
      configChanged: (changed) => local.configChanged(changed),
      [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
    }
  } catch (failure) {
    await held[Symbol.asyncDispose]()
    throw failure
  }
}
