import type * as z from 'zod'
import { AppError } from '../../../base/index.ts'
import {
  launchGrantSchema,
  launchStateSchema,
  launchUrl,
  sessionPaths,
  type ErrorCode,
} from '../../../contract/index.ts'
import { NoEngine } from '../failure.ts'
import { failureSchema, requireSameEngine, type EngineAddress } from './engine.ts'

const answerWithinMs = 10_000

/** A new address that opens one page of the engine, once. Rejects with AppError. */
export async function mintLaunchUrl(engine: EngineAddress): Promise<{ url: string; token: string }> {
  const { token } = await post(engine, sessionPaths.launch, {}, launchGrantSchema)
  return { url: launchUrl(engine.url, token), token }
}

/** Whether the page of a launch token has not been opened yet. Rejects with AppError. */
export async function isLaunchPending(engine: EngineAddress, token: string): Promise<boolean> {
  return (await post(engine, sessionPaths.launchState, { token }, launchStateSchema)).isPending
}

async function post<T>(
  address: EngineAddress,
  path: string,
  body: unknown,
  schema: z.ZodType<T>,
): Promise<T> {
  const { url, token } = address
  await requireSameEngine(address)
  let status: number
  let answer: unknown
  try {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerWithinMs),
    })
    status = response.status
    answer = await response.json()
  } catch (failure) {
    if ((failure as Error).name === 'TimeoutError')
      throw new AppError('TIMEOUT', `The engine at ${url} did not answer in time.`, { cause: failure })
    throw new NoEngine(`No engine is answering at ${url}.`)
  }
  const read = schema.safeParse(answer)
  if (status === 200 && read.success) return read.data
  const refused = failureSchema.safeParse(answer)
  const code: ErrorCode = refused.success ? refused.data.code : 'INTERNAL'
  const message = refused.success
    ? refused.data.message
    : `The server at ${url} is not a Pilothouse engine: it answered with status ${status}.`
  throw new AppError(code, message)
}
