import { join } from 'node:path'
import { readConfig, readSecret, watchConfig, type ConfigRequest } from '../../adapters/config/index.ts'
import { openLog, type AppLog } from '../../adapters/log/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { errorCatalogue } from '../../contract/index.ts'
import type { Config } from '../../engine/config/index.ts'
import { AppError, Disposables, type Clock } from '../../engine/core/index.ts'
import type { EngineAccess } from '../serve/index.ts'
import { version } from '../version.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { exitCodes } from './output.ts'
import { problemText } from './problem-text.ts'

/** What stands beside the command: in the bundle its parts, in the source tree the built ones. */
export interface Bundle {
  screens: string
  telemetryWorkerUrl?: URL
}

export interface ServeRequest {
  config: ConfigRequest
  isBrowserWanted: boolean
  bundle: Bundle
  /** What goes on beside the server, from when it serves until just before it ends. AppError: it could not begin. */
  companion?: (beside: {
    access: EngineAccess
    clock: Clock
    /** Aborted when the end has come before the companion could begin. */
    signal: AbortSignal
  }) => Promise<AsyncDisposable>
}

/** For somebody who has nothing to steer yet. */
const firstSteps = `No service is configured yet. Look around in a shop under traffic: pilothouse demo (npm start -- --demo).
Or describe one of yours: pilothouse init\n`

/** How long the end may take before the process is ended anyway. */
const stopWithinMs = 10_000

function logFor({ logging, dataDirectory }: Config, clock: Clock, { err }: CommandSurroundings): AppLog {
  const directory = join(dataDirectory, 'logs')
  const to =
    logging.destination === 'file'
      ? { kind: 'file' as const, directory }
      : err.isTerminal
        ? { kind: 'terminal' as const, isColoured: err.isColoured }
        : { kind: 'stderr' as const }
  return openLog({ level: logging.level, clock, to })
}

/** npm hands one Ctrl-C on a second time, within moments. */
const sameSignalMs = 500

/** Resolves with the first signal to end; one that comes later ends the process at once. */
function firstSignal(clock: Clock): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        firstAtMs ??= clock.monotonicMs()
        if (clock.monotonicMs() - firstAtMs > sameSignalMs) process.exit(130)
        resolve(signal)
      })
    }
  })
}

/** A failure as a person reads it: what happened, and what to do. */
function failureText(failure: AppError, { err }: CommandSurroundings): string {
  return `${err.style('red', 'pilothouse')}: ${failure.message}\n${errorCatalogue[failure.code].action}\n`
}

/** `pilothouse serve`: runs until a signal, then ends everything in order. 0 after a signal, 1 when it cannot start. */
export async function serveCommand(
  request: ServeRequest,
  surroundings: CommandSurroundings,
): Promise<number> {
  const { out, err } = surroundings
  const clock = systemClock()
  const signalled = firstSignal(clock)
  const read = await readConfig(request.config)
  if (!read.result.ok) {
    const { workingDirectory } = request.config.system
    err.write(problemText(read.result.error, { ...read, workingDirectory }, err))
    return exitCodes.failed
  }
  const loaded = read.result.value
  const { config } = loaded
  const { token: reference } = config.server
  const token = reference ? await readSecret(reference, request.config.system.variables) : undefined
  if (token && !token.ok) {
    err.write(failureText(token.error, surroundings))
    return exitCodes.failed
  }

  const held = new Disposables()
  const log = held.use(logFor(config, clock, surroundings))
  if (token?.ok) log.hide(token.value)
  try {
    // Only this command needs the server: the others start without loading it.
    const { openBrowser, serve } = await import('../serve/index.ts')
    const options = { config: loaded, log, ...request.bundle, ...(token?.ok ? { token: token.value } : {}) }
    const served = held.use(await serve(options))
    // The address holds the token of this launch. A configured one is known to who configured it.
    const shown = token?.ok ? served.url.replace(/[?#].*$/, '') : served.url
    out.write(`Pilothouse ${version} (${config.environment}) is open at\n  ${out.style('bold', shown)}\n`)
    if (config.services.length === 0) out.write(firstSteps)
    if (request.isBrowserWanted && out.isTerminal) openBrowser(served.url, process.platform, process.env)
    held.use(
      watchConfig({
        request: request.config,
        clock,
        current: read,
        onChange: (changed) => {
          if (changed.ok) {
            log.setLevel(changed.value.config.logging.level)
            log.info('the configuration was read anew', { file: changed.value.file })
          } else {
            log.warn('the changed configuration has mistakes', { problems: changed.error })
          }
          served.configChanged(changed)
        },
      }),
    )
    await using companion = new Disposables()
    if (request.companion) {
      const over = new AbortController()
      const beginning = request.companion({ access: served.access, clock, signal: over.signal })
      const begun = await Promise.race([beginning, signalled])
      if (typeof begun === 'string') {
        over.abort(new AppError('UNAVAILABLE', 'stopped while it began'))
        await beginning.then(
          (begunLate) => companion.use(begunLate),
          () => undefined,
        )
      } else companion.use(begun)
    }
    const signal = await signalled
    log.info('stopping', { signal })
  } catch (failure) {
    await held[Symbol.asyncDispose]()
    if (!(failure instanceof AppError)) throw failure
    err.write(failureText(failure, surroundings))
    return exitCodes.failed
  }
  using _deadline = clock.after(stopWithinMs, () => {
    err.write(`pilothouse: not everything ended within ${stopWithinMs / 1000} s\n`)
    process.exit(exitCodes.failed)
  })
  await held[Symbol.asyncDispose]()
  return exitCodes.ok
}
