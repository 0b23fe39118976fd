import { AppError, sleep } from '../../../base/index.ts'
import { systemClock } from '../../../adapters/system/index.ts'
import { terminalText, type LogLine } from '../../../contract/index.ts'
import { exitCodes, report, tell } from '../output.ts'
import type { Times } from '../times.ts'
import { engineCalls, findEngine } from './engine.ts'
import { newLines } from './log-lines.ts'
import type { Session } from './session.ts'

/** How often the newest lines are asked for while they are followed, ms. */
const everyMs = 1000
/** The most that an engine gives at once. */
const mostLines = 2000

export interface LogsRequest {
  which: { service: string; releaseId?: string }
  lines: number
  /** Goes on with what is printed from now on, across restarts of the engine, until the reader has gone. */
  isFollowed: boolean
}

/** `pilothouse logs SERVICE`: the newest lines its instances printed. Followed as JSON, an object a line. */
export async function showLogs({ which, lines, isFollowed }: LogsRequest, session: Session): Promise<number> {
  if (isFollowed) return follow({ which, lines }, session)
  const seen = await session.engine.services.logs({ ...which, lines })
  report(session, seen, () => linesText(seen, session.times))
  return exitCodes.ok
}

async function follow(
  { which, lines }: Pick<LogsRequest, 'which' | 'lines'>,
  { config, out, err, isJson, times, ...session }: Session,
): Promise<number> {
  const write = (fresh: readonly LogLine[]) => {
    if (fresh.length === 0) return
    if (isJson) out.write(fresh.map((line) => `${JSON.stringify(line)}\n`).join(''))
    else tell(out, linesText(fresh, times))
  }
  const clock = systemClock()
  let engine = session.engine
  let isAway = false
  let before = await engine.services.logs({ ...which, lines: mostLines })
  write(before.slice(-lines))
  while (!out.isClosed()) {
    await sleep(clock, everyMs)
    try {
      const now = await engine.services.logs({ ...which, lines: mostLines })
      isAway = false
      const { fresh, isGap } = newLines(before, now)
      if (isGap) tell(err, 'The output is too fast to follow: lines are missing here.\n')
      write(fresh)
      before = now
    } catch (failure) {
      if (!(failure instanceof AppError) || !isPassing(failure)) throw failure
      if (!isAway) tell(err, `${failure.message} Trying again.\n`)
      isAway = true
      const found = await findEngine(config)
      if (found.ok) engine = engineCalls(found.value)
    }
  }
  return exitCodes.ok
}

/** An engine that restarts has another address and another token. */
const isPassing = ({ code, retryable }: AppError) => retryable || code === 'UNAUTHENTICATED'

const linesText = (lines: readonly LogLine[], times: Times): string =>
  lines
    .map(
      ({ atMs, releaseId, instanceId, text }) =>
        `${times.moment(atMs)}  ${releaseId}/${instanceId}  ${terminalText(text)}\n`,
    )
    .join('')
