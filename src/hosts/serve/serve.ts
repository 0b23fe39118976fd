import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CallServer, startHttpServer, type HttpServer } from '../../adapters/transports/index.ts'
import { AppError, Disposables, type Log } from '../../engine/core/index.ts'
import { openLocalEngine } from '../local-engine.ts'
import { version } from '../version.ts'
import { healthAnswers } from './health.ts'

export interface ServeOptions {
  /** Address to bind. Only loopback for now: anything else needs TLS. */
  host: string
  /** 0 for any free port. */
  port: number
  allowedHosts: readonly string[]
  dataDirectory: string
  environment: string
  intervalMs: number
  log: Log
  /** Bundle of the screens; the built one by default. */
  screens?: string
  telemetryWorkerUrl?: URL
}

export interface Served extends AsyncDisposable {
  url: string
  port: number
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** Starts the engine and serves it over HTTP and WebSocket. Throws AppError with what stands in the way. */
export async function serve(options: ServeOptions): Promise<Served> {
  if (!loopback.has(options.host)) {
    throw new AppError(
      'UNSUPPORTED',
      `Refused to listen on ${options.host}: without TLS only loopback (127.0.0.1, ::1) is served.`,
    )
  }
  const screens = options.screens ?? fileURLToPath(new URL('../renderer', import.meta.url))
  if (!existsSync(screens)) {
    throw new AppError('NOT_FOUND', `The screens are not built: there is no ${screens}. Run: npm run build`)
  }
  const held = new Disposables()
  try {
    const { engine } = held.use(await openLocalEngine(options))
    const http: HttpServer = held.use(
      await startHttpServer({
        address: options.host,
        port: options.port,
        token: randomBytes(24).toString('base64url'),
        allowedHosts: options.allowedHosts,
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
    return { url: http.url, port: http.port, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() }
  } catch (failure) {
    await held[Symbol.asyncDispose]()
    throw failure
  }
}
