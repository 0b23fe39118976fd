import { systemClock } from '../../../adapters/system/index.ts'
import type { LogLine } from '../../../contract/index.ts'
import { AppError, sleep } from '../../../engine/core/index.ts'
import { exitCodes } from '../output.ts'
import { engineCalls, findEngine } from './engine.ts'
import { newLines } from './log-lines.ts'
import { jsonText, type Session } from './session.ts'
import { harmless, momentText } from './words.ts'

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
  const { engine, out, isJson } = session
  if (isFollowed) return follow({ which, lines }, session)
  const seen = await engine.services.logs({ ...which, lines })
  out.write(isJson ? jsonText(seen) : seen.map(lineText).join(''))
  return exitCodes.ok
}

async function follow(
  { which, lines }: Pick<LogsRequest, 'which' | 'lines'>,
  { config, out, err, isJson, ...session }: Session,
): Promise<number> {
  const write = (fresh: readonly LogLine[]) =>
    out.write(fresh.map((line) => (isJson ? `${JSON.stringify(line)}\n` : lineText(line))).join(''))
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
      if (isGap) err.write('More was printed than can be followed: lines are left out here.\n')
      write(fresh)
      before = now
    } catch (failure) {
      if (!(failure instanceof AppError) || !isPassing(failure)) throw failure
      if (!isAway) err.write(`${failure.message} Trying again.\n`)
      isAway = true
      const found = await findEngine(config)
      if (found.ok) engine = engineCalls(found.value)
    }
  }
  return exitCodes.ok
}

/** An engine that restarts has another address and another token. */
const isPassing = ({ code, retryable }: AppError) => retryable || code === 'UNAUTHENTICATED'

const lineText = ({ atMs, releaseId, instanceId, text }: LogLine) =>
  `${momentText(atMs)}  ${releaseId}/${instanceId}  ${harmless(text)}\n`
