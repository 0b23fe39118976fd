import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  edgeProcedures,
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
const maxRequestBytes = 4 * 2 ** 20

/**
 * The admin API: HTTP on a UNIX socket that only its owner may open (a named pipe on Windows). Whoever can open it
 * may do everything; nobody else can.
 */
export class AdminServer {
  readonly #handlers: Handlers
  readonly #log: EdgeLog
  readonly #server: Server

  constructor(handlers: Handlers, log: EdgeLog) {
    this.#handlers = handlers
    this.#log = log
    this.#server = createServer({ headersTimeout: 5000, requestTimeout: 30_000 }, (request, response) => {
      void this.#serve(request, response)
    })
  }

  /** `path` must not be another edge's: a socket that is left there is replaced. */
  async listen(path: string): Promise<void> {
    const isPipe = process.platform === 'win32'
    if (!isPipe) await rm(path, { force: true })
    // Between its making and chmod the directory protects it, which only its owner may enter.
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, resolve)
    })
    if (!isPipe) await chmod(path, 0o600)
  }

  async close(): Promise<void> {
    await closeServer(this.#server, closeWithinMs)
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
      const handler = this.#handlers[procedure] as (input: unknown) => unknown
      answer(response, 200, await handler(input.data))
    } catch (failure) {
      if (!(failure instanceof EdgeFailure))
        this.#log.error('an admin call failed', { failure: messageOf(failure) })
      const { code, message, details } =
        failure instanceof EdgeFailure
          ? failure
          : { code: 'INTERNAL' as const, message: messageOf(failure), details: {} }
      const body: EdgeFailureBody = { code, message, details }
      answer(response, errorCatalogue[code].status, body)
    }
  }
}

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
