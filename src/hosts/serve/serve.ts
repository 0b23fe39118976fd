import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CallServer, startHttpServer } from '../../adapters/transports/index.ts'
import type { ConfigProblem } from '../../contract/index.ts'
import type { LoadedConfig } from '../../engine/config/index.ts'
import { AppError, Disposables, type Log, type Result } from '../../engine/core/index.ts'
import type { Engine } from '../../engine/index.ts'
import { openLocalEngine } from '../local-engine.ts'
import { announceServer } from '../server-file.ts'
import { version } from '../version.ts'
import { healthAnswers } from './health.ts'

export interface ServeOptions {
  config: LoadedConfig
  log: Log
  /** Of the configured secret; undefined makes one for this launch. */
  token?: string
  /** Bundle of the screens; the built one by default. */
  screens?: string
  telemetryWorkerUrl?: URL
}

export interface EngineAccess {
  url: string
  token: string
}

export interface Served extends AsyncDisposable {
  /** The address to open, with the token in it. */
  url: string
  port: number
  /** The same for programs: origin and token apart. */
  access: EngineAccess
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
    )
  }
  const screens = options.screens ?? fileURLToPath(new URL('../renderer', import.meta.url))
  if (!existsSync(screens)) {
    throw new AppError('NOT_FOUND', `The screens are not built: there is no ${screens}. Run: npm run build`)
  }
  const token = options.token ?? randomBytes(24).toString('base64url')
  const held = new Disposables()
  try {
    const local = held.use(await openLocalEngine(options))
    const { engine } = local
    const http = held.use(
      await startHttpServer({
        address: server.host,
        port: server.port,
        token,
        allowedHosts: server.allowedOrigins.map((origin) => new URL(origin).host),
        screens,
        version,
        calls: new CallServer(engine.router, options.log),
        live: {
          store: engine.live,
          feed: engine.feed,
          clock: engine.parts.clock,
          epoch: engine.epoch,
          version,
        },
        context: { role: 'admin', actor: 'local' },
        health: healthAnswers(engine),
        log: options.log,
      }),
    )
    engine.start()
    const access = { url: new URL(http.url).origin, token }
    held.use(await announceServer(options.config.config.dataDirectory, { ...access, pid: process.pid }))
    return {
      url: http.url,
      port: http.port,
      access,
      engine,
      configChanged: (changed) => local.configChanged(changed),
      [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
    }
  } catch (failure) {
    await held[Symbol.asyncDispose]()
    throw failure
  }
}
