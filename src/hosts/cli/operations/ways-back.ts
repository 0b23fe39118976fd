import {
  isEmergencyWay,
  terminalText,
  wayBackText,
  waysBack,
  type ServiceState,
} from '../../../contract/index.ts'
import { table } from '../layout/index.ts'
import { exitCodes, report } from '../output.ts'
import type { Session } from './session.ts'

/** What can go back now, one service a line, with the command that does it. */
export const wayBackLines = (
  services: readonly ServiceState[],
  next: (words: string) => string = (words) => `pilothouse ${words}`,
): string[][] =>
  waysBack(services).map((way) => [
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
          `${name}: automation is stopped since ${times.day(stopped.atMs)} (${stopped.by}). To deploy again, first run: ${next(`resume ${name}`)}`,
        ]
      : [],
  )

/** `pilothouse rollback --list`. */
export async function listWaysBack(session: Session): Promise<number> {
  const services = await session.engine.services.list()
  const rows = wayBackLines(services, session.next).map((cells) => cells.map(terminalText))
  const stopped = stoppedLines(services, session)
  const columns = [{}, {}, { isProse: true }, { isProse: true }]
  report(session, waysBack(services), () =>
    rows.length + stopped.length === 0
      ? 'There is nothing to roll back.\n'
      : [
          rows.length === 0 ? '' : table(columns, rows, { width: session.out.width }),
          ...stopped.map((line) => `${terminalText(line)}\n`),
        ].join(''),
  )
  return exitCodes.ok
}
