import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Disposables, type Log } from '../../base/index.ts'
import { CallServer, sessionFile, Sessions, startHttpServer } from '../../adapters/transports/index.ts'
import { launchTokenIn, localActor, operator } from '../../contract/index.ts'
import type { Engine } from '../../engine/index.ts'
import { announceServer } from '../server-file.ts'
import { version } from '../version.ts'
import { healthAnswers } from './health.ts'

export interface DoorOptions {
  engine: Engine
  /** Where programs of this user learn how to get in, and open sessions are kept. */
  dataDirectory: string
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

/** The way in for programs. */
export interface EngineAccess {
  /** Without a path. */
  url: string
  token: string
}

export interface Door extends AsyncDisposable {
  port: number
  access: EngineAccess
  /** A new address that opens one page, once. */
  launchUrl(): string
  /** Whether the page of a launch address has not been opened yet. */
  isPending(launchUrl: string): boolean
  /** Tells programs of this user how to get in, until the door is disposed. Rejects when the disk does not take it. */
  announce(): Promise<void>
}

/** How an engine is reached over HTTP and WebSocket, by browsers and the command line. Throws AppError. */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { engine, dataDirectory, address, port, allowedHosts, screens, log } = options
  const token = options.token ?? randomBytes(24).toString('base64url')
  const { clock, rng } = engine.parts
  const sessions = new Sessions({ clock, rng, store: sessionFile(join(dataDirectory, 'sessions.json'), log) })
  const held = new Disposables()
  const http = held.use(
    await startHttpServer({
      address,
      port,
      token,
      sessions,
      allowedHosts,
      screens,
      version,
      calls: new CallServer(engine.router, log),
      live: {
        store: engine.live,
        feed: engine.feed,
        clock,
        epoch: engine.epoch,
        version,
      },
      context: { principal: operator(localActor.name) },
      health: healthAnswers(engine),
      refused: (refusal) => void engine.noteRefusal(refusal),
      log,
    }),
  )
  const access = { url: http.origin, token }
  return {
    port: http.port,
    access,
    launchUrl: () => http.launchUrl(),
    isPending: (url) => sessions.isPending(launchTokenIn(new URL(url).hash) ?? ''),
    async announce() {
      held.use(await announceServer(dataDirectory, access))
    },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}
