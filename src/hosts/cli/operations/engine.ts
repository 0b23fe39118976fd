import { createORPCClient, ORPCError } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { OpenAPILink } from '@orpc/openapi-client/fetch'
import * as z from 'zod'
import { AppError, fail, ok, type Result } from '../../../base/index.ts'
import type { ConfigRequest } from '../../../adapters/config/index.ts'
import { contract, errorCodes, isWebAddress, problemsText, type ErrorCode } from '../../../contract/index.ts'
import { findServer, type ServerAccess } from '../../server-file.ts'
import { NoEngine } from '../failure.ts'
import { nextCommand } from '../setting-options.ts'
import { dataDirectories } from './data-directories.ts'

export interface EngineAddress extends Pick<ServerAccess, 'url' | 'token'> {
  /** By whose `server.json` it was found; left out for one that a person named, and for one in this process. */
  dataDirectory?: string
}

/** Every operation of a running engine; calls reject with `AppError`. */
export type EngineCalls = ContractRouterClient<typeof contract>

/**
 * The engine that PILOTHOUSE_URL and PILOTHOUSE_TOKEN name, else the one that runs on the data directory of the
 * config, else, where nobody chose a directory, that of the desktop app. Fails with NoEngine, or BAD_INPUT when the variables or the config are mistaken.
 */
export async function findEngine(request: ConfigRequest): Promise<Result<EngineAddress>> {
  const named = namedEngine(request)
  if (named) return named
  const directories = await dataDirectories(request)
  if (!directories.ok)
    return fail(
      new AppError(
        'CONFIG_INVALID',
        `The configuration has errors, so the data directory is unknown: ${problemsText(directories.error)}`,
      ),
    )
  return engineOn(directories.value, request)
}

/** The engine that PILOTHOUSE_URL and PILOTHOUSE_TOKEN name; null when they name none. */
export function namedEngine({ system }: ConfigRequest): Result<EngineAddress> | null {
  const { PILOTHOUSE_URL: url, PILOTHOUSE_TOKEN: token } = system.variables
  if (!url) return null
  if (!isWebAddress(url))
    return fail(new AppError('BAD_INPUT', `PILOTHOUSE_URL is not an HTTP address: ${url}`))
  if (!token)
    return fail(
      new AppError(
        'BAD_INPUT',
        'PILOTHOUSE_URL is set, but PILOTHOUSE_TOKEN is not. Set it to the access token of that engine.',
      ),
    )
  return ok({ url: new URL(url).origin, token })
}

/** The engine that runs on the first of these data directories that has one. */
export async function engineOn(
  directories: readonly string[],
  request: Pick<ConfigRequest, 'file' | 'flags'>,
): Promise<Result<EngineAddress>> {
  for (const directory of directories) {
    const server = await findServer(directory)
    if (server) return ok({ url: server.url, token: server.token, dataDirectory: directory })
  }
  const [directory, desktop] = directories
  return fail(
    new NoEngine(
      `No engine${desktop ? ' and no desktop app' : ''} is running on the data directory ${directory}. To start an engine, run: ${nextCommand('serve', request)}`,
    ),
  )
}

/**
 * To be awaited each time before the token is sent: the engine may have ended since it was found, and another user may
 * have its port. Rejects with NoEngine. Not on Windows, where one question costs as long as an emergency may wait.
 */
export async function requireSameEngine({ url, token, dataDirectory }: EngineAddress): Promise<void> {
  if (dataDirectory === undefined || process.platform === 'win32') return
  const now = await findServer(dataDirectory)
  if (now?.url !== url || now.token !== token) throw new NoEngine(`No engine is answering at ${url}.`)
}

/** What every failure of the engine's HTTP has. */
export const failureSchema = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  data: z.object({ action: z.string(), correlationId: z.string() }).partial().optional(),
  action: z.string().optional(),
})

/** How long a call may take; validation is the longest and has five minutes. */
const callWithinMs = 330_000

/** A client of the whole table of procedures, its addresses derived from the contract. */
export function engineCalls(address: EngineAddress): EngineCalls {
  const { url, token } = address
  const link = new OpenAPILink(contract, {
    url: `${url}/api/v1`,
    headers: { authorization: `Bearer ${token}` },
    fetch: async (request, init) => {
      await requireSameEngine(address)
      return fetch(request, {
        ...init,
        signal: AbortSignal.any([request.signal, AbortSignal.timeout(callWithinMs)]),
      })
    },
    customErrorResponseBodyDecoder: (body, { status }) => {
      const { success, data } = failureSchema.safeParse(body)
      if (!success) return null
      const { code, message, action } = data
      return new ORPCError(code, { status, message, data: { action, ...data.data } })
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
  if (failure instanceof AppError) return failure
  if (failure instanceof ORPCError) {
    const { success, data: code } = z.enum(errorCodes).safeParse(failure.code)
    return success
      ? new AppError(code, failure.message, { cause: failure, ...remedyIn(code, failure.data) })
      : new AppError(
          'INTERNAL',
          `The server at ${url} is not a Pilothouse engine: it answered with status ${failure.status}.`,
        )
  }
  const { name, cause } = failure as { name?: string; cause?: { code?: string } }
  if (name === 'TimeoutError')
    return new AppError('TIMEOUT', `The engine at ${url} did not answer in time.`, { cause: failure })
  if (failure instanceof TypeError && cause)
    return new NoEngine(`No engine is answering at ${url} (${cause.code ?? failure.message}).`)
  return new AppError('INTERNAL', `The response of ${url} cannot be read: ${String(failure)}`, {
    cause: failure,
  })
}

/** What the engine says a person can do; a defect is reported with the id under which its log has more. */
function remedyIn(code: ErrorCode, data: unknown): { remedy?: string } {
  const { action, correlationId } = (data ?? {}) as { action?: string; correlationId?: string }
  if (code === 'INTERNAL' && correlationId)
    return {
      remedy: `Report it with the lines of the engine log that have the correlation id ${correlationId}.`,
    }
  return action ? { remedy: action } : {}
}
