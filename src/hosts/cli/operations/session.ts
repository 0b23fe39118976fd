import type { ConfigRequest } from '../../../adapters/config/index.ts'
import { errorCatalogue } from '../../../contract/index.ts'
import { AppError } from '../../../engine/core/index.ts'
import type { CommandSurroundings } from '../config-commands.ts'
import { exitCodes } from '../output.ts'
import type { Person } from '../person.ts'
import { engineCalls, findEngine, NoEngine, type EngineCalls } from './engine.ts'
import { LeftAlone } from './left-alone.ts'

/** What a command that talks to the engine has. */
export interface Session extends CommandSurroundings {
  /** How the engine is found; asked again by who outlives one. */
  config: ConfigRequest
  person: Person
  engine: EngineCalls
  isJson: boolean
}

export type SessionRequest = Omit<Session, 'engine'>

/**
 * Runs `command` with the engine and gives its exit code; failures are told and become 1, 2 or 3. What can be done
 * without an engine is `withoutEngine`, for when none runs or it does not answer; null when there is no other way.
 */
export async function withEngine(
  request: SessionRequest,
  command: (session: Session) => Promise<number>,
  withoutEngine: (request: SessionRequest, why: AppError) => Promise<number | null> = () =>
    Promise.resolve(null),
): Promise<number> {
  try {
    const address = await findEngine(request.config)
    if (!address.ok) throw address.error
    return await command({ ...request, engine: engineCalls(address.value) })
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure
    if (failure instanceof NoEngine || failure.code === 'TIMEOUT') {
      const code = await withoutEngine(request, failure)
      if (code !== null) return code
    }
    const { out, err, isJson } = request
    const action = failure instanceof LeftAlone ? '' : errorCatalogue[failure.code].action
    if (isJson) out.write(jsonText({ error: { code: failure.code, message: failure.message, action } }))
    err.write(`${err.style('red', 'pilothouse')}: ${failure.message}\n`)
    if (failure instanceof NoEngine) return exitCodes.noEngine
    if (action !== '') err.write(`${action}\n`)
    return failure.code === 'BAD_INPUT' ? exitCodes.usage : exitCodes.failed
  }
}

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
