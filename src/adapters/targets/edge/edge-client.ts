import { Pool } from 'undici'
import {
  edgeFailureSchema,
  edgeProcedures,
  movedDetail,
  type EdgeInput,
  type EdgeOutput,
  type EdgeProcedure,
} from '../../../contract/index.ts'
import { AppError, fail, messageOf, ok, type Result } from '../../../engine/core/index.ts'

export interface EdgeClientOptions {
  /** The edge's admin socket. */
  socketPath: string
  /** Longest wait for an answer, ms. */
  timeoutMs?: number
}

/** More connections than this are not open at a time. */
const maxMoves = 100

/** Calls the admin socket of an edge. One that is not there, or ends, is UNAVAILABLE until it is there again. */
export class EdgeClient implements AsyncDisposable {
  readonly #pool: Pool
  readonly #timeoutMs: number

  constructor({ socketPath, timeoutMs = 5000 }: EdgeClientOptions) {
    this.#timeoutMs = timeoutMs
    // The name in the origin is not looked up: the socket is where it goes.
    this.#pool = new Pool('http://edge', {
      connect: { socketPath, timeout: timeoutMs },
      keepAliveTimeout: 2000,
    })
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
      const { statusCode, body } = await this.#pool.request({
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
    } catch (failure) {
      return fail(this.#asAppError(failure))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy()
  }

  #asAppError(failure: unknown): AppError {
    const { name, code = '' } = failure as { name?: string; code?: string }
    if (name === 'TimeoutError' || code.endsWith('_TIMEOUT'))
      return new AppError('TIMEOUT', `The edge did not answer within ${this.#timeoutMs} ms.`, {
        cause: failure,
      })
    const isAway = [
      'ENOENT',
      'ECONNREFUSED',
      'ECONNRESET',
      'EPIPE',
      'EACCES',
      'UND_ERR_SOCKET',
      'UND_ERR_DESTROYED',
    ]
    if (isAway.includes(code))
      return new AppError('UNAVAILABLE', `The edge cannot be reached: ${messageOf(failure)}`, {
        cause: failure,
      })
    return new AppError('UNAVAILABLE', `The edge answered what is not understood: ${messageOf(failure)}`, {
      cause: failure,
    })
  }
}
