import * as z from 'zod'
import { AppError, fail, messageOf, ok, type Result } from '../../../base/index.ts'
import {
  isEmergencyWay,
  rollbackOutcomeSchema,
  terminalText,
  took,
  wayBackText,
  waysBack,
  type RollbackOutcome,
} from '../../../contract/index.ts'
import { table } from '../layout/index.ts'
import { tellFailure } from '../failure.ts'
import { exitCodes, report, tell } from '../output.ts'
import { confirm } from './confirm.ts'
import { likelyDataDirectories } from './data-directories.ts'
import { engineCalls, engineOn, namedEngine, type EngineCalls } from './engine.ts'
import { edgeAmong } from './rollback-at-edge.ts'
import type { SessionRequest } from './session.ts'

export interface RollbackRequest {
  /** Undefined is every service that can go back at once. */
  service: string | undefined
  why: string
  isConfirmed: boolean
}

/** An engine that has not answered by then hangs: the order goes to the edge itself. */
const engineWithinMs = 1300

/**
 * `pilothouse rollback SERVICE|--all`: 0 when every router confirmed it, 1 when one did not, 3 when nobody was there to
 * take the order. It needs no valid config. Whatever the engine answers but a confirmation or a refusal, the edge of
 * the same data directory gets the order at once; it was looked for meanwhile.
 */
export async function rollback(wish: RollbackRequest, request: SessionRequest): Promise<number> {
  const directories = await likelyDataDirectories(request.config)
  const found = namedEngine(request.config) ?? (await engineOn(directories, request.config))
  if (found.ok && request.person.isThere && !wish.isConfirmed) {
    const refused = await confirmed(wish, engineCalls(found.value), request)
    if (refused) return tellFailure(refused, request)
  }
  // An engine elsewhere has its edge elsewhere, unless a person names this one.
  const isElsewhere = namedEngine(request.config) !== null && !hasDataDirectory(request)
  await using edge = edgeAmong(isElsewhere ? [] : directories, wish.service)
  const answer = found.ok ? await ordered(wish, engineCalls(found.value)) : found
  const answered = answer.ok ? answer.value : []
  const open = answered.filter((each) => !each.ok && each.code !== 'CONFLICT')
  if (answer.ok && open.length === 0) return showOutcomes(answered, request)

  // A name that neither of them knows is a mistake, and no reason to go around the engine.
  const isUnknown = answer.ok
    ? open.every(({ code }) => code === 'NOT_FOUND')
    : answer.error.code === 'NOT_FOUND'
  if (isUnknown && wish.service !== undefined && (await edge.denies(wish.service)))
    return answer.ok ? showOutcomes(answered, request) : tellFailure(answer.error, request)

  const named = wish.service === undefined ? undefined : [wish.service]
  const atEdge = await edge.rollBack(answer.ok ? open.map(({ service }) => service) : named, found.ok)
  if (atEdge === null) return answer.ok ? showOutcomes(answered, request) : tellFailure(answer.error, request)
  const why = answer.ok ? (open[0]?.text ?? '') : answer.error.message
  tell(
    request.err,
    `${terminalText(why)}\nThe rollback was sent to the edge directly.${atEdge.some((each) => each.ok) ? ' Automation stops when an engine is running again.' : ''}\n`,
  )
  const others = answered.filter((each) => !open.includes(each))
  return showOutcomes([...others, ...atEdge], request)
}

const hasDataDirectory = ({ config }: SessionRequest): boolean =>
  config.flags?.some(({ path }) => path === 'dataDirectory') ?? false

/** The engine's answer, if it is one about what was asked. */
async function ordered(
  { service, why }: RollbackRequest,
  engine: EngineCalls,
): Promise<Result<RollbackOutcome[]>> {
  try {
    const input = { why, ...(service === undefined ? {} : { services: [service] }) }
    const answer: unknown = await engine.rollback.emergency(input, {
      signal: AbortSignal.timeout(engineWithinMs),
    })
    const outcomes = z.array(rollbackOutcomeSchema).safeParse(answer)
    const isAbout = outcomes.data?.some((each) => each.service === service) ?? false
    return outcomes.success && (service === undefined || isAbout)
      ? ok(outcomes.data)
      : fail(new AppError('INTERNAL', 'The engine did not confirm the rollback.'))
  } catch (failure) {
    return fail(
      failure instanceof AppError
        ? failure
        : new AppError('INTERNAL', messageOf(failure), { cause: failure }),
    )
  }
}

/** Prints what each router confirmed; the exit code of it. */
function showOutcomes(
  outcomes: readonly RollbackOutcome[],
  request: Pick<SessionRequest, 'out' | 'isJson'>,
): number {
  const { out } = request
  const label = ({ ok: isDone, code }: RollbackOutcome) =>
    isDone ? out.style('green', 'ok') : out.style('red', code === 'CONFLICT' ? 'REFUSED' : 'FAILED')
  const rows = outcomes.map((each) => [
    label(each),
    each.service,
    took(each.tookMs),
    terminalText(each.nextCommand ? `${each.text}. Run: ${each.nextCommand}` : each.text),
  ])
  report(request, outcomes, () =>
    rows.length === 0
      ? 'There is nothing to roll back.\n'
      : table([{}, {}, {}, { isProse: true }], rows, { width: out.width }),
  )
  return outcomes.every((each) => each.ok) ? exitCodes.ok : exitCodes.failed
}

/** Asks the person at the terminal; gives why nothing is done when that person leaves it. */
async function confirmed(
  { service }: RollbackRequest,
  engine: EngineCalls,
  request: SessionRequest,
): Promise<AppError | null> {
  // A list that fails must not keep anyone from an emergency rollback.
  const services = await engine.services
    .list({}, { signal: AbortSignal.timeout(engineWithinMs) })
    .catch(() => [])
  const ways = waysBack(services).filter((way) =>
    service === undefined ? isEmergencyWay(way) : way.service === service,
  )
  const effects = ways.map((way) => `${way.service}: ${wayBackText(way)}. ${way.text}`)
  const isProduction = services.some(
    ({ name, environment }) =>
      environment === 'production' && (service === name || ways.some((way) => way.service === name)),
  )
  try {
    await confirm(
      {
        order: 'rollback.emergency',
        name: service ?? 'all',
        effect: `${effects.join('\n') || (service ?? 'every service')}\nAutomation stops until it is resumed.`,
        isProduction,
        isConfirmed: false,
      },
      { ...request, engine },
    )
    return null
  } catch (failure) {
    if (failure instanceof AppError) return failure
    throw failure
  }
}
