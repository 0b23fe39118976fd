import { readConfig, type ConfigRequest } from '../../adapters/config/index.ts'
import { EdgeClient } from '../../adapters/targets/edge/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { errorCatalogue } from '../../contract/index.ts'
import type { AppError } from '../../engine/core/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { exitCodes } from './output.ts'
import { problemText } from './problem-text.ts'

/** Stopping drains: as long as the longest service may take. */
const stopWithinMs = 10 * 60_000

export type EdgeVerb =
  { kind: 'start' } | { kind: 'status' } | { kind: 'upgrade' } | { kind: 'stop'; withInstances: boolean }

/** `pilothouse edge start|status|upgrade|stop`: 0 well, 1 when it cannot be started or reached. */
export async function edgeCommand(
  verb: EdgeVerb,
  request: ConfigRequest,
  surroundings: CommandSurroundings,
): Promise<number> {
  const { out, err } = surroundings
  const read = await readConfig(request)
  if (!read.result.ok) {
    const { workingDirectory } = request.system
    err.write(problemText(read.result.error, { ...read, workingDirectory }, err))
    return exitCodes.failed
  }
  const { edgeDirectory, edgeSocketPath, ensureEdge, stopEdge, upgradeEdge } =
    await import('../edge/index.ts')
  const directory = edgeDirectory(read.result.value.config.dataDirectory)
  const failed = (failure: AppError): number => {
    err.write(
      `${err.style('red', 'pilothouse')}: ${failure.message}\n${errorCatalogue[failure.code].action}\n`,
    )
    return exitCodes.failed
  }
  if (verb.kind === 'start') {
    const started = await ensureEdge({ directory, clock: systemClock() })
    if (!started.ok) return failed(started.error)
    await using client = started.value
    return await showStatus(client)
  }
  if (verb.kind === 'upgrade') {
    const upgraded = await upgradeEdge(directory)
    if (!upgraded.ok) return failed(upgraded.error)
    const { from, to } = upgraded.value
    out.write(
      `The edge ${from.version} (pid ${from.pid}) has handed over to ${to.version} (pid ${to.pid}); requests went on.\n`,
    )
    return exitCodes.ok
  }
  await using client = new EdgeClient({ socketPath: edgeSocketPath(directory) })
  if (verb.kind === 'status') return await showStatus(client)
  const stopped = await stopEdge(client, {
    directory,
    clock: systemClock(),
    withInstances: verb.withInstances,
    withinMs: stopWithinMs,
  })
  if (!stopped.ok) return failed(stopped.error)
  out.write(
    verb.withInstances
      ? 'The edge has ended with its instances.\n'
      : 'The edge has ended; its instances run on.\n',
  )
  return exitCodes.ok

  async function showStatus(client: EdgeClient): Promise<number> {
    const status = await client.call('status', {})
    if (!status.ok) return failed(status.error)
    const { pid, services } = status.value
    out.write(`The edge of ${directory} runs (pid ${pid}), services: ${services.length}\n`)
    for (const { name, address, instances } of services)
      out.write(`  ${out.style('bold', name)}  ${address}  instances: ${instances}\n`)
    return exitCodes.ok
  }
}
