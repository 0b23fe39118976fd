import {
  isEmergencyWay,
  terminalText,
  wayBackText,
  waysBack,
  type ServiceState,
  type ServiceWayBack,
} from '../../../contract/index.ts'
import { table } from '../layout/index.ts'
import { exitCodes, report, tell } from '../output.ts'
import { likelyDataDirectories } from './data-directories.ts'
import { namedEngine } from './engine.ts'
import { edgeAmong } from './rollback-at-edge.ts'
import { withEngine, type Session, type SessionRequest } from './session.ts'

/** What can go back now, one service a line, with the command that does it. */
export const wayBackLines = (
  ways: readonly ServiceWayBack[],
  next: (words: string) => string = (words) => `pilothouse ${words}`,
): string[][] =>
  ways.map((way) => [
    way.service,
    wayBackText(way),
    way.text,
    next(isEmergencyWay(way) ? `rollback ${way.service}` : `deployments undo ${way.service}`),
  ])

/** Services that have no way back only because an emergency has stopped their automation, a line for each. */
export const stoppedLines = (
  services: readonly ServiceState[],
  { times, next }: Pick<Session, 'times' | 'next'>,
): string[] =>
  services.flatMap(({ name, automationStopped: stopped, wayBack }) =>
    stopped && !wayBack
      ? [
          `${name}: automation has been stopped since ${times.day(stopped.atMs)} (${stopped.by.name}). To deploy again, first run: ${next(`resume ${name}`)}`,
        ]
      : [],
  )

/** `pilothouse rollback --list`. Where no engine answers, the edge says what it can: what a rollback would move there. */
export async function listWaysBack(request: SessionRequest): Promise<number> {
  const directories = namedEngine(request.config) ? [] : await likelyDataDirectories(request.config)
  await using edge = edgeAmong(directories, undefined)
  return await withEngine(
    request,
    async (session) => {
      const services = await session.engine.services.list()
      return showWays(waysBack(services), stoppedLines(services, session), request)
    },
    async () => {
      const ways = await edge.waysBack()
      if (ways === null) return null
      tell(request.err, 'No engine is answering. This is what the edge reports.\n')
      return showWays(ways, [], request)
    },
  )
}

function showWays(
  ways: readonly ServiceWayBack[],
  stopped: readonly string[],
  request: Pick<SessionRequest, 'out' | 'isJson' | 'next'>,
): number {
  const rows = wayBackLines(ways, request.next).map((cells) => cells.map(terminalText))
  const columns = [{}, {}, { isProse: true }, { isProse: true }]
  report(request, ways, () =>
    rows.length + stopped.length === 0
      ? 'There is nothing to roll back.\n'
      : [
          rows.length === 0 ? '' : table(columns, rows, { width: request.out.width }),
          ...stopped.map((line) => `${terminalText(line)}\n`),
        ].join(''),
  )
  return exitCodes.ok
}
