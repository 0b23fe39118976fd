import { buildConnector, Pool } from 'undici'
import { AppError, fail, messageOf, ok, type Result } from '../../../base/index.ts'
import {
  edgeFailureSchema,
  edgeProcedures,
  movedDetail,
  took,
  type EdgeInput,
  type EdgeOutput,
  type EdgeProcedure,
} from '../../../contract/index.ts'

export interface EdgeClientOptions {
  /**
   * The edge's admin socket, or where it may be, best first: asked for each new connection, and may throw an AppError.
   */
  socketPath: string | (() => readonly string[])
  /** Longest wait for an answer, ms. */
  timeoutMs?: number
}

/** Calls that do no harm when they are done twice: they read, carry a key, or say what shall hold. */
const repeatable: ReadonlySet<EdgeProcedure> = new Set<EdgeProcedure>([
  'status',
  'observe',
  'logs',
  'weights',
  'bins',
  'guards',
  'ensure',
  'remove',
  'setWeights',
  'emergency',
  'declare',
  'withdraw',
  'setGuards',
])

/** How a connection fails that the edge had closed while it was idle. */
const closedCodes = ['EPIPE', 'ECONNRESET', 'UND_ERR_SOCKET']

/** More connections than this are not open at a time. */
const maxMoves = 100

/** Calls the admin socket of an edge. One that is not there, or ends, is UNAVAILABLE until it is there again. */
export class EdgeClient implements AsyncDisposable {
  readonly #pool: Pool
  readonly #timeoutMs: number
  readonly #connect: buildConnector.connector

  constructor({ socketPath, timeoutMs = 5000 }: EdgeClientOptions) {
    this.#timeoutMs = timeoutMs
    // The name in the origin is not looked up: the socket is where it goes.
    this.#connect = connectorTo(typeof socketPath === 'string' ? () => [socketPath] : socketPath, timeoutMs)
    this.#pool = new Pool('http://edge', { connect: this.#connect, keepAliveTimeout: 2000 })
  }

  async call<P extends EdgeProcedure>(procedure: P, input: EdgeInput<P>): Promise<Result<EdgeOutput<P>>> {
    let result = await this.#once(procedure, input)
    // Each of our connections may still be to the edge that has handed over; it has begun nothing.
    for (let i = 0; i < maxMoves && !result.ok && result.error.details[movedDetail] === true; i++)
      result = await this.#once(procedure, input)
    return result
  }

  async #once<P extends EdgeProcedure>(procedure: P, input: EdgeInput<P>): Promise<Result<EdgeOutput<P>>> {
    try {
      return await this.#ask(this.#pool, procedure, input)
    } catch (failure) {
      const { code = '' } = failure as { code?: string }
      if (!closedCodes.includes(code) || !repeatable.has(procedure)) return fail(this.#asAppError(failure))
    }
    // The other connections of the pool may be closed as well: only a new one tells whether the edge is there.
    const fresh = new Pool('http://edge', { connect: this.#connect, connections: 1 })
    try {
      return await this.#ask(fresh, procedure, input)
    } catch (failure) {
      return fail(this.#asAppError(failure))
    } finally {
      await fresh.destroy()
    }
  }

  async #ask<P extends EdgeProcedure>(
    pool: Pool,
    procedure: P,
    input: EdgeInput<P>,
  ): Promise<Result<EdgeOutput<P>>> {
    const { statusCode, body } = await pool.request({
      path: `/v1/${procedure}`,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(this.#timeoutMs),
    })
    const answer: unknown = await body.json()
    if (statusCode === 200) return ok(edgeProcedures[procedure].output.parse(answer) as EdgeOutput<P>)
    const { code, message, details } = edgeFailureSchema.parse(answer)
    return fail(new AppError(code, message, { details }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }

  #asAppError(failure: unknown): AppError {
    if (failure instanceof AppError) return failure
    const { name, code = '' } = failure as { name?: string; code?: string }
    if (name === 'TimeoutError' || code.endsWith('_TIMEOUT'))
      return new AppError('TIMEOUT', `The edge did not answer within ${took(this.#timeoutMs)}.`, {
        cause: failure,
      })
    const isAway = [...closedCodes, 'ENOENT', 'ECONNREFUSED', 'EACCES', 'UND_ERR_DESTROYED']
    if (isAway.includes(code))
      return new AppError('UNAVAILABLE', `The edge cannot be reached: ${messageOf(failure)}`, {
        cause: failure,
      })
    return new AppError('UNAVAILABLE', `The edge sent an unexpected response: ${messageOf(failure)}`, {
      cause: failure,
    })
  }
}

/** Connects to the first of the sockets on which someone listens. */
function connectorTo(sockets: () => readonly string[], timeout: number): buildConnector.connector {
  return (options, callback) => {
    let left: string[]
    try {
      left = [...sockets()]
    } catch (failure) {
      callback(failure as Error, null)
      return
    }
    const next = () => {
      const socketPath = left.shift() ?? ''
      buildConnector({ socketPath, timeout })(options, (...result) => {
        if (result[0] !== null && left.length > 0) next()
        else callback(...result)
      })
    }
    next()
  }
}
