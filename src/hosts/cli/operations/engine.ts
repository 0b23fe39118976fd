import { createORPCClient, ORPCError } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import * as z from 'zod'
import type { ConfigRequest } from '../../../adapters/config/index.ts'
import { errorCodes, operations } from '../../../contract/index.ts'
import { AppError, fail, ok, type Result } from '../../../engine/core/index.ts'
import { findServer, type ServerAccess } from '../../server-file.ts'
import { dataDirectories } from './data-directories.ts'

export type EngineAddress = Pick<ServerAccess, 'url' | 'token'>

/** Every operation of a running engine; calls reject with `AppError`. */
export type EngineCalls = ContractRouterClient<typeof operations>

/** There is no engine to talk to. */
export class NoEngine extends AppError {
  constructor(sentence: string) {
    super('UNAVAILABLE', sentence)
  }
}

/**
 * The engine that PILOTHOUSE_URL and PILOTHOUSE_TOKEN name, else the one that runs on the data directory of the
 * config, else, where nobody chose a directory, that of the desktop app. Fails with NoEngine, or BAD_INPUT when the variables or the config are mistaken.
 */
export async function findEngine(request: ConfigRequest): Promise<Result<EngineAddress>> {
  const { PILOTHOUSE_URL: url, PILOTHOUSE_TOKEN: token } = request.system.variables
  if (url) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      return fail(new AppError('BAD_INPUT', `PILOTHOUSE_URL is no http address: ${url}`))
    if (!token)
      return fail(new AppError('BAD_INPUT', 'PILOTHOUSE_URL is set; its token belongs in PILOTHOUSE_TOKEN.'))
    return ok({ url: new URL(url).origin, token })
  }
  const directories = await dataDirectories(request)
  if (!directories.ok)
    return fail(
      new AppError(
        'CONFIG_INVALID',
        `The configuration has mistakes, so that the data directory is not known: ${directories.error[0]?.message ?? ''}`,
      ),
    )
  for (const directory of directories.value) {
    const server = await findServer(directory)
    if (server) return ok(server)
  }
  const [directory, desktop] = directories.value
  return fail(
    new NoEngine(
      `No engine runs on ${directory}${desktop ? ', and no desktop app' : ''}. Start one: pilothouse serve`,
    ),
  )
}

/** What every failure of the engine's HTTP has. */
const failureSchema = z.object({ code: z.enum(errorCodes), message: z.string() })

/** How long a call may take; validation is the longest and has five minutes. */
const callWithinMs = 330_000

/** A client of the whole table of operations, its addresses derived from the contract. */
export function engineCalls({ url, token }: EngineAddress): EngineCalls {
  const link = new OpenAPILink(operations, {
    url: `${url}/api/v1`,
    headers: { authorization: `Bearer ${token}` },
    fetch: (request, init) =>
      fetch(request, {
        ...init,
        signal: AbortSignal.any([request.signal, AbortSignal.timeout(callWithinMs)]),
      }),
    customErrorResponseBodyDecoder: (body, { status }) => {
      const { success, data } = failureSchema.safeParse(body)
      return success ? new ORPCError(data.code, { status, message: data.message }) : null
    },
    interceptors: [
      async (options) => {
        try {
          return await options.next()
        } catch (failure) {
          throw asAppError(failure, url)
        }
      },
    ],
  })
  return createORPCClient(link)
}

function asAppError(failure: unknown, url: string): AppError {
  if (failure instanceof ORPCError) {
    const { success, data: code } = z.enum(errorCodes).safeParse(failure.code)
    return success
      ? new AppError(code, failure.message, { cause: failure })
      : new AppError('INTERNAL', `${url} answered with status ${failure.status} and not as an engine does.`)
  }
  const { name, cause } = failure as { name?: string; cause?: { code?: string } }
  if (name === 'TimeoutError')
    return new AppError('TIMEOUT', `The engine at ${url} did not answer.`, { cause: failure })
  if (failure instanceof TypeError && cause)
    return new NoEngine(`No engine answers at ${url} (${cause.code ?? failure.message}).`)
  return new AppError('INTERNAL', `The answer of ${url} cannot be read: ${String(failure)}`, {
    cause: failure,
  })
}
