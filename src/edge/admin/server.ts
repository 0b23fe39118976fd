import { lstatSync } from 'node:fs'
import { chmod, lstat, mkdir, rename, rm, utimes } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type EdgeLog, closeServer } from '../machine/index.ts'
import { AppError, messageOf, type Clock } from '../../base/index.ts'
import {
  edgeProcedures,
  errorCatalogue,
  movedDetail,
  type EdgeFailureBody,
  type EdgeProcedure,
} from '../../contract/index.ts'
import { dirname } from 'node:path'
import type { Handlers } from '../services/index.ts'

/** A call in progress may end; none takes longer than a second or two. */
const closeWithinMs = 5000
const leaveEveryMs = 50
/** How often the server looks whether its socket is still there. */
const lookEveryMs = 400
/** Cleaners of temporary files remove a socket that looks unused for days. */
const touchEveryMs = 3_600_000
const maxRequestBytes = 4 * 2 ** 20

/** Answered while a handover is in progress: they change nothing. */
const reads: ReadonlySet<EdgeProcedure> = new Set(['status', 'observe', 'logs', 'weights', 'bins', 'guards'])

type State =
  | { kind: 'serving' }
  /** Calls that change something wait for how a handover ends; one that is urgent calls it off. */
  | { kind: 'holding'; ended: PromiseWithResolvers<void>; onUrgent: () => void }
  /** Another edge serves at this address. */
  | { kind: 'moved' }

/**
 * The admin API: HTTP on a UNIX socket that only its owner may open (a named pipe on Windows). Whoever can open it
 * may do everything; nobody else can.
 */
export class AdminServer {
  readonly #handlers: Handlers
  readonly #log: EdgeLog
  readonly #clock: Clock
  #server: Server
  #state: State = { kind: 'serving' }
  #places: readonly string[] = []
  #path = ''
  /** Identity of our socket: at the same path there may be another edge's. */
  #socket: string | null = null
  #onPlace: (path: string) => void = () => undefined
  #isHealing = false
  readonly #timers: Disposable[] = []
  readonly #writing = new Set<Promise<unknown>>()

  constructor(handlers: Handlers, log: EdgeLog, clock: Clock) {
    this.#handlers = handlers
    this.#log = log
    this.#clock = clock
    this.#server = this.#newServer()
  }

  /** Where the socket is. */
  get path(): string {
    return this.#path
  }

  /**
   * Listens at the first of `places` where a socket can be made, and makes the socket again, there or at the next
   * place, whenever it is lost. `onPlace` is told of each. Throws AppError when no place will do.
   */
  async listen(places: readonly string[], onPlace: (path: string) => void): Promise<void> {
    this.#places = places
    this.#onPlace = onPlace
    await this.#listenAnywhere()
    this.#watch()
  }

  /** Takes the place of another edge's socket in one step: at each moment one edge or the other answers there. */
  async replace(path: string, places: readonly string[], onPlace: (path: string) => void): Promise<void> {
    this.#places = [path, ...places.filter((place) => place !== path)]
    this.#onPlace = onPlace
    const beside = `${path}.${process.pid}`
    await rm(beside, { force: true })
    await listening(this.#server, beside)
    await chmod(beside, 0o600)
    await rename(beside, path)
    this.#took(path)
    this.#watch()
  }

  /** Whether another edge has taken the address over. */
  async isReplaced(): Promise<boolean> {
    return process.platform !== 'win32' && socketAt(this.#path) !== this.#socket
  }

  #newServer(): Server {
    return createServer({ headersTimeout: 5000, requestTimeout: 30_000 }, (request, response) => {
      void this.#serve(request, response)
    })
  }

  async #listenAnywhere(): Promise<void> {
    const failures: string[] = []
    for (const place of this.#places) {
      try {
        await this.#listenAt(place)
        return
      } catch (failure) {
        failures.push(failure instanceof AppError ? failure.message : `${place}: ${messageOf(failure)}`)
        this.#server = this.#newServer()
      }
    }
    throw new AppError('UNAVAILABLE', `The admin socket cannot be created. ${failures.join(' ')}`)
  }

  async #listenAt(place: string): Promise<void> {
    if (process.platform !== 'win32') {
      await requireOwnDirectory(dirname(place))
      // Whoever holds the directory's lock is the only edge: what is here was left by one that has gone.
      await rm(place, { force: true })
    }
    // Until chmod, the directory protects the socket: only its owner can enter. The socket is bound under its final
    // name, by which cleaners of temporary files recognize a socket in use.
    await listening(this.#server, place)
    if (process.platform !== 'win32') await chmod(place, 0o600)
    this.#took(place)
  }

  #took(path: string): void {
    this.#path = path
    this.#socket = socketAt(path)
    this.#onPlace(path)
  }

  #watch(): void {
    if (process.platform === 'win32') return
    this.#timers.push(
      this.#clock.every(lookEveryMs, () => void this.#heal()),
      this.#clock.every(touchEveryMs, () => {
        const now = this.#clock.nowMs() / 1000
        utimes(this.#path, now, now).catch(() => undefined)
      }),
    )
  }

  /** Makes the socket again when its file is gone or is another one. */
  async #heal(): Promise<void> {
    if (this.#state.kind !== 'serving' || this.#isHealing || socketAt(this.#path) === this.#socket) return
    this.#isHealing = true
    const lost = this.#path
    try {
      const before = this.#server
      this.#server = this.#newServer()
      // Calls in progress end there. To close a server removes whatever lies at its path, so this comes first.
      void closeServer(before, closeWithinMs)
      await this.#listenAnywhere()
      this.#log.warn('the admin socket was lost and has been recreated', { lost, now: this.#path })
    } catch (failure) {
      this.#socket = null
      this.#log.error('the admin socket is lost and cannot be recreated', {
        lost,
        failure: messageOf(failure),
      })
    } finally {
      this.#isHealing = false
    }
  }

  /** Lets calls that change something wait; resolves when those in progress have ended. `onUrgent` is for an emergency. */
  async hold(onUrgent: () => void): Promise<void> {
    this.#state = { kind: 'holding', ended: Promise.withResolvers(), onUrgent }
    await Promise.all(this.#writing)
  }

  /** The handover came to nothing: calls that wait are served. */
  resume(): void {
    this.#leave({ kind: 'serving' })
  }

  /** Calls that wait and all further ones are told to call again, which comes to the other edge. */
  move(): void {
    this.#leave({ kind: 'moved' })
  }

  /** As `close`, when all who had called have hung up, or had this long to: a call on its way is answered. */
  async leave(withinMs: number): Promise<void> {
    const isUnused = () =>
      new Promise<boolean>((resolve) =>
        this.#server.getConnections((failure, count) => resolve(failure !== null || count === 0)),
      )
    for (let waitedMs = 0; waitedMs < withinMs && !(await isUnused()); waitedMs += leaveEveryMs)
      await new Promise((resolve) => setTimeout(resolve, leaveEveryMs))
    await this.close()
  }

  async close(): Promise<void> {
    for (const timer of this.#timers.splice(0)) timer[Symbol.dispose]()
    if (this.#state.kind === 'moved') {
      // To close a server removes its path, where the other edge's socket lies. Nobody can reach ours there.
      this.#server.closeAllConnections()
      return
    }
    const isOurs = !(await this.isReplaced())
    await closeServer(this.#server, closeWithinMs)
    if (process.platform !== 'win32' && isOurs) await rm(this.#path, { force: true }).catch(() => undefined)
  }

  #leave(next: State): void {
    const before = this.#state
    this.#state = next
    if (before.kind === 'holding') before.ended.resolve()
  }

  /** Throws UNAVAILABLE when the call is another edge's. */
  async #permit(procedure: EdgeProcedure): Promise<void> {
    while (this.#state.kind === 'holding' && !reads.has(procedure)) {
      const { ended, onUrgent } = this.#state
      if (procedure === 'emergency') onUrgent()
      await ended.promise
    }
    if (this.#state.kind === 'moved')
      throw new AppError('UNAVAILABLE', 'Another edge has taken over. Try again.', {
        details: { [movedDetail]: true },
      })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const procedure = nameOf(request)
      const input = edgeProcedures[procedure].input.safeParse(await bodyOf(request))
      if (!input.success) {
        const [issue] = input.error.issues
        throw new AppError('BAD_INPUT', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`)
      }
      await this.#permit(procedure)
      answer(response, 200, await this.#call(procedure, input.data))
    } catch (failure) {
      if (!(failure instanceof AppError))
        this.#log.error('an admin call failed', { failure: messageOf(failure) })
      const { code, message, details } =
        failure instanceof AppError
          ? failure
          : { code: 'INTERNAL' as const, message: messageOf(failure), details: {} }
      const body: EdgeFailureBody = { code, message, details }
      if (this.#state.kind === 'moved') response.setHeader('connection', 'close')
      answer(response, errorCatalogue[code].status, body)
    }
  }

  async #call(procedure: EdgeProcedure, input: unknown): Promise<unknown> {
    const handler = this.#handlers[procedure] as (input: unknown) => unknown
    if (reads.has(procedure) || procedure === 'handover') return handler(input)
    const result = Promise.resolve(handler(input))
    const settled = result.catch(() => undefined)
    this.#writing.add(settled)
    await settled
    this.#writing.delete(settled)
    return result
  }
}

/** Tells a file from every other one that has been at the same path; null when there is none. */
function socketAt(path: string): string | null {
  try {
    const { dev, ino, birthtimeNs } = lstatSync(path, { bigint: true })
    return `${dev}:${ino}:${birthtimeNs}`
  } catch {
    return null
  }
}

const listening = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      // Too many open files and the like: one connection is lost, the server goes on.
      server.on('error', () => undefined)
      resolve()
    })
  })

/** Makes the directory of a socket for this user alone. Throws FORBIDDEN, with the remedy, for another user's. */
async function requireOwnDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const { uid, mode } = await lstat(path)
  if (uid !== process.getuid?.())
    throw new AppError(
      'FORBIDDEN',
      `${path} belongs to another user (uid ${uid}): remove it (as root or its owner), or set TMPDIR to a directory of your own.`,
    )
  if ((mode & 0o077) !== 0) await chmod(path, 0o700)
}

function nameOf({ method, url = '' }: IncomingMessage): EdgeProcedure {
  const name = /^\/v1\/([A-Za-z]+)$/.exec(url)?.[1]
  if (method !== 'POST' || name === undefined || !Object.hasOwn(edgeProcedures, name))
    throw new AppError('NOT_FOUND', `Not found: ${method ?? ''} ${url.slice(0, 200)}.`)
  return name as EdgeProcedure
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxRequestBytes)
      throw new AppError('TOO_LARGE', `The request is larger than ${maxRequestBytes} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch {
    throw new AppError('BAD_INPUT', 'The body is not valid JSON.')
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
