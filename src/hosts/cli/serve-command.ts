import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, Disposables, messageOf, type Clock } from '../../base/index.ts'
import { readConfig, readSecret, watchConfig, type ConfigRequest } from '../../adapters/config/index.ts'
import { openLog, type AppLog } from '../../adapters/log/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { duration, recordsOf, type ServiceState } from '../../contract/index.ts'
import type { Config, Flag, LogLevel } from '../../engine/config/index.ts'
import type { EngineAccess } from '../serve/index.ts'
import { browserDirectory, openInBrowser } from '../open-browser.ts'
import { version } from '../version.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { tellFailure } from './failure.ts'
import { exitCodes } from './output.ts'
import { tellProblems, warnOfIgnored } from './problem-text.ts'

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

/** For someone who has nothing to steer yet. */
const firstSteps = `No services are configured yet. To try a demo shop under traffic, run: pilothouse demo (npm start -- --demo).
To add a service of your own, run: pilothouse init\n`

/**
 * Said at the end when instances keep running: ending the engine does not end them. Empty when nothing runs.
 */
function runsOnText(services: readonly ServiceState[], flags: readonly Flag[] = []): string {
  const running = services.filter(({ instances }) => instances.some(({ state }) => state !== 'down'))
  if (running.length === 0) return ''
  const directory = flags.find(({ path }) => path === 'dataDirectory')
  const where = directory ? ` --data-dir ${directory.text}` : ''
  const names = running.map(({ name }) => name).join(', ')
  return `Still running without the engine: ${names}. To stop them, run: pilothouse edge stop --with-instances${where}\n`
}

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

/** `pilothouse serve`: runs until a signal, then ends everything in order. 0 after a signal, 1 when it cannot start. */
export async function serveCommand(
  request: ServeRequest,
  surroundings: CommandSurroundings,
): Promise<number> {
  const { out, err } = surroundings
  const clock = systemClock()
  const signalled = firstSignal(clock)
  const read = await readConfig(request.config)
  if (!read.result.ok)
    return tellProblems(read.result.error, read, request.config.system, { ...surroundings, isJson: false })
  const loaded = read.result.value
  const { config } = loaded
  warnOfIgnored(loaded.ignoredVariables, err)
  const { token: reference } = config.server
  const token = reference ? await readSecret(reference, request.config.system.variables) : undefined
  if (token && !token.ok) {
    return tellFailure(token.error, { ...surroundings, isJson: false })
  }

  const held = new Disposables()
  let lastWords = ''
  const log = held.use(logFor(config, clock, surroundings))
  if (token?.ok) log.hide(token.value)
  try {
    // Only this command needs the server: the others start without loading it.
    const { serve } = await import('../serve/index.ts')
    const setLogLevel = (level: LogLevel) => log.setLevel(level)
    const options = {
      config: loaded,
      log,
      setLogLevel,
      ...request.bundle,
      ...(token?.ok ? { token: token.value } : {}),
    }
    const served = held.use(await serve(options))
    out.write(
      `Pilothouse ${version} (${config.environment}) is open at\n  ${out.style('bold', served.launchUrl())}\n` +
        'The address opens one page, within the hour. For another one, run: pilothouse open\n',
    )
    if (config.services.length === 0) out.write(firstSteps)
    if (request.isBrowserWanted && out.isTerminal) {
      const url = served.launchUrl()
      const over = new AbortController()
      try {
        const browser = openInBrowser({
          url,
          platform: process.platform,
          env: process.env,
          directory: browserDirectory(process.platform, { home: homedir(), temporary: tmpdir() }),
          clock,
          isPending: () => served.isPending(url),
          signal: over.signal,
        })
        held.defer(async () => {
          over.abort(new AppError('UNAVAILABLE', 'stopped'))
          await browser?.opened
        })
      } catch (failure) {
        // The address is in the terminal.
        log.warn('the browser was not opened', { failure: messageOf(failure) })
      }
    }
    held.use(
      watchConfig({
        request: request.config,
        clock,
        current: read,
        onChange: (changed) => {
          if (!changed.ok) log.warn('the changed configuration was rejected', { problems: changed.error })
          served.configChanged(changed)
          // Told at the level that it brought.
          if (changed.ok) log.info('the configuration was reloaded', { file: changed.value.file })
        },
        onFailure: (failure) =>
          log.error('the configuration file could not be watched', { failure: messageOf(failure) }),
      }),
    )
    await using companion = new Disposables()
    if (request.companion) {
      const over = new AbortController()
      const beginning = request.companion({ access: served.access, clock, signal: over.signal })
      const begun = await Promise.race([beginning, signalled])
      if (typeof begun === 'string') {
        over.abort(new AppError('UNAVAILABLE', 'stopped during startup'))
        await beginning.then(
          (begunLate) => companion.use(begunLate),
          () => undefined,
        )
      } else companion.use(begun)
    }
    const signal = await signalled
    log.info('stopping', { signal })
    // A companion ends what it has started.
    if (!request.companion)
      lastWords = runsOnText(recordsOf(served.engine.live.snapshot(), 'service'), request.config.flags)
  } catch (failure) {
    await held[Symbol.asyncDispose]()
    if (!(failure instanceof AppError)) throw failure
    return tellFailure(failure, { ...surroundings, isJson: false })
  }
  using _deadline = clock.after(stopWithinMs, () => {
    err.write(`pilothouse: not everything stopped within ${duration(stopWithinMs)}\n`)
    process.exit(exitCodes.failed)
  })
  await held[Symbol.asyncDispose]()
  out.write(lastWords)
  return exitCodes.ok
}
