import { AppError, silentLog } from '../../base/index.ts'
import { readConfig, type ConfigRequest } from '../../adapters/config/index.ts'
import type { EdgeClient } from '../../adapters/platforms/edge/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { duration, errorCatalogue, localActor } from '../../contract/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { edgeText } from './edge-text.ts'
import { tellFailure } from './failure.ts'
import { exitCodes, report } from './output.ts'
import { tellProblems } from './problem-text.ts'
import { unitCommand } from './unit-command.ts'

/** Stopping drains: as long as the longest service may take. */
const stopWithinMs = 10 * 60_000

export type EdgeVerb =
  | { kind: 'install'; isPrinted: boolean }
  | { kind: 'uninstall' }
  | { kind: 'start' }
  | { kind: 'status' }
  | { kind: 'upgrade' }
  | { kind: 'stop'; withInstances: boolean }

/** `pilothouse edge start|status|upgrade|stop`: 0 well, 1 when it cannot be started or reached. */
export async function edgeCommand(
  verb: EdgeVerb,
  request: ConfigRequest,
  surroundings: CommandSurroundings & { isJson: boolean },
): Promise<number> {
  const read = await readConfig(request)
  if (!read.result.ok) return tellProblems(read.result.error, read, request.system, surroundings)
  const { edgeClient, edgeDirectory, edgeRemedy, ensureEdge, stopEdge, upgradeEdge } =
    await import('../edge/index.ts')
  const directory = edgeDirectory(read.result.value.config.dataDirectory)
  const failed = async (failure: AppError): Promise<number> => {
    const { code, message: sentence, retryable, details } = failure
    return tellFailure(
      new AppError(code, sentence, { retryable, details, remedy: await remedyOf(failure) }),
      surroundings,
    )
  }
  if (verb.kind === 'install' || verb.kind === 'uninstall') return unitCommand(verb, directory, surroundings)
  if (verb.kind === 'start') {
    const started = await ensureEdge({ directory, clock: systemClock() })
    if (!started.ok) return await failed(started.error)
    await using client = started.value
    return await showStatus(client)
  }
  if (verb.kind === 'upgrade') {
    const upgraded = await upgradeEdge(directory, {
      by: localActor,
      log: { ...silentLog, error: (text) => surroundings.err.write(`${text}\n`) },
    })
    if (!upgraded.ok) return await failed(upgraded.error)
    const { from, to, finishWithinMs } = upgraded.value
    const picked = ({ version, pid }: typeof from) => ({ version, pid })
    report(
      surroundings,
      { directory, from: picked(from), to: picked(to) },
      () =>
        `The edge ${from.version} (pid ${from.pid}) has handed over to ${to.version} (pid ${to.pid}). Requests and WebSockets in progress finish in the old process; what is left after ${duration(finishWithinMs)} is cut.\n`,
    )
    return exitCodes.ok
  }
  await using client = edgeClient(directory)
  if (verb.kind === 'status') return await showStatus(client)
  const stopped = await stopEdge(client, {
    directory,
    clock: systemClock(),
    by: localActor,
    withInstances: verb.withInstances,
    withinMs: stopWithinMs,
  })
  if (!stopped.ok) return await failed(stopped.error)
  report(surroundings, { directory, withInstances: verb.withInstances }, () =>
    verb.withInstances
      ? 'The edge and its instances have stopped.\n'
      : 'The edge has stopped. Its instances keep running, but get no requests until it starts again: pilothouse edge start\n',
  )
  return exitCodes.ok

  async function showStatus(client: EdgeClient): Promise<number> {
    const status = await client.call('status', {})
    if (!status.ok) return await failed(status.error)
    report(surroundings, { directory, ...status.value }, () =>
      edgeText(directory, status.value, surroundings),
    )
    return exitCodes.ok
  }

  /** What a person can do, where the general sentence of the code would promise too much. */
  async function remedyOf({ code, remedy }: AppError): Promise<string> {
    const isOfThisCase = remedy !== errorCatalogue[code].action
    if (isOfThisCase) return remedy
    if (code === 'FORBIDDEN') return 'Then run this command again.'
    if (code !== 'UNAVAILABLE') return remedy
    if (verb.kind === 'start') return 'Correct what the message names, then run: pilothouse edge start'
    await using client = edgeClient(directory)
    return (await client.call('status', {})).ok
      ? 'The running edge keeps serving as before. Correct what the message names, then try again.'
      : await edgeRemedy(directory)
  }
}
