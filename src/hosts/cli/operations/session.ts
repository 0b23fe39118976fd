import { AppError } from '../../../base/index.ts'
import type { ConfigRequest } from '../../../adapters/config/index.ts'
import { systemClock } from '../../../adapters/system/index.ts'
import { type TimeZoneName } from '../../../contract/index.ts'
import type { CommandSurroundings } from '../config-commands.ts'
import type { Person } from '../person.ts'
import { timesIn, type Times } from '../times.ts'
import { engineCalls, findEngine, type EngineAddress, type EngineCalls } from './engine.ts'
import { NoEngine, tellFailure } from '../failure.ts'

/** What a command that talks to the engine has. */
export interface Session extends CommandSurroundings {
  /** How the engine is found; asked again by who outlives one. */
  config: ConfigRequest
  person: Person
  /** Of the engine that was found. */
  address: EngineAddress
  engine: EngineCalls
  isJson: boolean
  times: Times
  /** A command line to run next, with the places that this one was given. */
  next: (words: string) => string
}

export interface SessionRequest extends Omit<Session, 'engine' | 'address' | 'times'> {
  /** In which zone times are written; null as the engine is configured, as its screens. */
  zone: TimeZoneName | null
}

/**
 * Runs `command` with the engine and gives its exit code; failures are told and become 1, 2 or 3. Where no engine answers,
 * `without` may do it another way, and gives null when it cannot.
 */
export async function withEngine(
  request: SessionRequest,
  command: (session: Session) => Promise<number>,
  without: () => Promise<number | null> = () => Promise.resolve(null),
): Promise<number> {
  try {
    const address = await findEngine(request.config)
    if (!address.ok) throw address.error
    const engine = engineCalls(address.value)
    const { zone, ...rest } = request
    const clock = systemClock()
    const times = timesIn(zone ?? (await zoneOfEngine(engine, rest)), () => clock.nowMs())
    return await command({ ...rest, address: address.value, engine, times })
  } catch (failure) {
    if (!(failure instanceof AppError)) throw failure
    const code = failure instanceof NoEngine ? await without() : null
    return code ?? tellFailure(failure, request)
  }
}

/** Programs get milliseconds, whatever the zone. An engine that cannot tell is no reason to fail. */
const zoneOfEngine = (
  engine: EngineCalls,
  { isJson }: Pick<SessionRequest, 'isJson'>,
): Promise<TimeZoneName> =>
  isJson
    ? Promise.resolve('local')
    : engine.config.show().then(
        ({ timeZone }) => timeZone,
        () => 'local' as const,
      )
