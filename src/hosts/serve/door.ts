import { randomBytes } from 'node:crypto'
import { CallServer, startHttpServer } from '../../adapters/transports/index.ts'
import { Disposables, type Log } from '../../engine/core/index.ts'
import type { Engine } from '../../engine/index.ts'
import { announceServer } from '../server-file.ts'
import { version } from '../version.ts'
import { healthAnswers } from './health.ts'

export interface DoorOptions {
  engine: Engine
  /** Loopback; the caller has made sure. */
  address: string
  /** 0 for any free port. */
  port: number
  /** Names by which it is reached beside its own. */
  allowedHosts: readonly string[]
  /** Undefined makes one for this launch. */
  token?: string | undefined
  /** Bundle of the screens. */
  screens: string
  log: Log
}

export interface EngineAccess {
  url: string
  token: string
}

export interface Door extends AsyncDisposable {
  /** The address to open, with the token in it. */
  url: string
  port: number
  /** The same for programs: origin and token apart. */
  access: EngineAccess
  /** Tells programs of this user how to get in, in the data directory; until the door is disposed. */
  announce(dataDirectory: string): Promise<void>
}

/** How an engine is reached over HTTP and WebSocket, by browsers and the command line. Throws AppError. */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { engine, address, port, allowedHosts, screens, log } = options
  const token = options.token ?? randomBytes(24).toString('base64url')
  const held = new Disposables()
  const http = held.use(
    await startHttpServer({
      address,
      port,
      token,
      allowedHosts,
      screens,
      version,
      calls: new CallServer(engine.router, log),
      live: {
        store: engine.live,
        feed: engine.feed,
        clock: engine.parts.clock,
        epoch: engine.epoch,
        version,
      },
      context: { role: 'admin', actor: 'local' },
      health: healthAnswers(engine),
      log,
    }),
  )
  const access = { url: new URL(http.url).origin, token }
  return {
    url: http.url,
    port: http.port,
    access,
    async announce(dataDirectory) {
      held.use(await announceServer(dataDirectory, { ...access, pid: process.pid }))
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}
