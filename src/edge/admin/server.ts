import { chmod, rename, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  edgeProcedures,
  movedDetail,
  errorCatalogue,
  type EdgeFailureBody,
  type EdgeProcedure,
} from '../../contract/index.ts'
import type { EdgeLog } from '../clock.ts'
import { closeServer } from '../close-server.ts'
import { EdgeFailure, messageOf } from '../failure.ts'
import type { Handlers } from '../platform.ts'

/** A call under way may end; none takes longer than a second or two. */
const closeWithinMs = 5000
const leaveEveryMs = 50
const maxRequestBytes = 4 * 2 ** 20

/** Answered while a handover is under way: they change nothing. */
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
  readonly #server: Server
  #state: State = { kind: 'serving' }
  #path = ''
  /** Of the socket that is ours: at the same path there may be another edge's. */
  #inode = 0n
  readonly #writing = new Set<Promise<unknown>>()

  constructor(handlers: Handlers, log: EdgeLog) {
    this.#handlers = handlers
    this.#log = log
    this.#server = createServer({ headersTimeout: 5000, requestTimeout: 30_000 }, (request, response) => {
      void this.#serve(request, response)
    })
  }

  /** Who calls `path` from now on comes to this edge, whoever has listened there. */
  async listen(path: string): Promise<void> {
    this.#path = path
    const isPipe = process.platform === 'win32'
    // Made beside its place and moved there whole: at each moment one edge or the other is found there.
    const place = isPipe ? path : `${path}.${process.pid}`
    if (!isPipe) await rm(place, { force: true })
    // Between its making and chmod the directory protects it, which only its owner may enter.
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(place, resolve)
    })
    if (isPipe) return
    await chmod(place, 0o600)
    this.#inode = await inodeOf(place)
    await rename(place, path)
  }

  /** Whether another edge has taken the address over. */
  async isReplaced(): Promise<boolean> {
    return process.platform !== 'win32' && (await inodeOf(this.#path)) !== this.#inode
  }

  /** Lets calls that change something wait; resolves when those under way have ended. `onUrgent` is for an emergency. */
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
    await closeServer(this.#server, closeWithinMs)
    if (process.platform !== 'win32' && !(await this.isReplaced())) await rm(this.#path, { force: true })
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
      throw new EdgeFailure('UNAVAILABLE', 'Another edge has taken over: call again.', {
        [movedDetail]: true,
      })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const procedure = nameOf(request)
      const input = edgeProcedures[procedure].input.safeParse(await bodyOf(request))
      if (!input.success) {
        const [issue] = input.error.issues
        throw new EdgeFailure(
          'BAD_INPUT',
          `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as it must be'}`,
        )
      }
      await this.#permit(procedure)
      answer(response, 200, await this.#call(procedure, input.data))
    } catch (failure) {
      if (!(failure instanceof EdgeFailure))
        this.#log.error('an admin call failed', { failure: messageOf(failure) })
      const { code, message, details } =
        failure instanceof EdgeFailure
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

/** 0 when there is nothing. */
const inodeOf = async (path: string): Promise<bigint> =>
  stat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => 0n,
  )

function nameOf({ method, url = '' }: IncomingMessage): EdgeProcedure {
  const name = /^\/v1\/([A-Za-z]+)$/.exec(url)?.[1]
  if (method !== 'POST' || name === undefined || !Object.hasOwn(edgeProcedures, name))
    throw new EdgeFailure('NOT_FOUND', `There is no ${method ?? ''} ${url.slice(0, 200)}.`)
  return name as EdgeProcedure
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxRequestBytes)
      throw new EdgeFailure('TOO_LARGE', `A request is at most ${maxRequestBytes} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch {
    throw new EdgeFailure('BAD_INPUT', 'The body is not JSON.')
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
