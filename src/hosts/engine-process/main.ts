import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, Disposables, messageOf, type Log } from '../../base/index.ts'
import { watchConfig } from '../../adapters/config/index.ts'
import { openLog } from '../../adapters/log/index.ts'
import { systemClock } from '../../adapters/system/index.ts'
import { CallServer, serveLive } from '../../adapters/transports/index.ts'
import {
  operator,
  portChannel,
  problemsText,
  type ConfigProblem,
  type PortLike,
} from '../../contract/index.ts'
import { unusedByDesktop } from '../../engine/config/index.ts'
import type { Engine } from '../../engine/index.ts'
import { openLocalEngine } from '../local-engine.ts'
import { openDoor } from '../serve/index.ts'
import { version } from '../version.ts'
import { readDesktopConfig } from './desktop-config.ts'
import { parseEngineArguments, shellMessageSchema, type EngineMessage } from './protocol.ts'

/** What Electron gives a utility process; typed here because nothing outside the shell imports Electron. */
interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown; ports: PortLike[] }) => void): void
  postMessage(message: unknown): void
}

const { parentPort } = process as typeof process & { parentPort: ParentPort }
const tell = (message: EngineMessage) => parentPort.postMessage(message)
const held = new Disposables()

try {
  await run()
} catch (failure) {
  if (!(failure instanceof AppError)) throw failure
  tell({ kind: 'failed', code: failure.code, message: failure.message })
  await held[Symbol.asyncDispose]()
  process.exit(1)
}

/** Starts the engine and serves whoever the shell brings, until the shell says stop. Throws AppError. */
async function run(): Promise<void> {
  const { dataDirectory, edgeProgram } = parseEngineArguments(process.argv.slice(2))
  const { request, read } = await readDesktopConfig(dataDirectory)
  if (!read.result.ok) throw new AppError('CONFIG_INVALID', sentenceOf(read.result.error))
  const config = read.result.value
  const clock = systemClock()
  const log = held.use(
    openLog({
      level: config.config.logging.level,
      clock,
      to: { kind: 'file', directory: join(config.config.dataDirectory, 'logs') },
    }),
  )
  if (config.ignoredVariables.length > 0)
    log.warn('environment variables that are not settings are ignored', { names: config.ignoredVariables })
  const local = held.use(
    await openLocalEngine({
      config,
      log,
      setLogLevel: (level) => log.setLevel(level),
      unused: unusedByDesktop,
      telemetryWorkerUrl: new URL('./telemetry-worker.js', import.meta.url),
      ...(edgeProgram ? { edgeProgram } : {}),
    }),
  )
  held.use(
    watchConfig({
      request,
      clock,
      current: read,
      onChange: (changed) => local.configChanged(changed),
      onFailure: (failure) =>
        log.error('the configuration file could not be watched', { failure: messageOf(failure) }),
    }),
  )

  const { engine } = local
  const calls = new CallServer(engine.router, log)
  const live = { store: engine.live, feed: engine.feed, clock, epoch: engine.epoch, version }
  parentPort.on('message', ({ data, ports }) => {
    const message = shellMessageSchema.parse(data)
    if (message.kind === 'stop') {
      void held[Symbol.asyncDispose]().finally(() => process.exit(0))
      return
    }
    const [livePort, callsPort] = ports
    if (!livePort || !callsPort) throw new Error('a consumer comes with two ports')
    // Whoever sits at this machine owns it: there is nobody else to ask.
    const principal = operator(message.actor)
    serveLive(portChannel<Uint8Array>(livePort), live, principal)
    calls.serve(portChannel(callsPort), { principal })
  })
  engine.start()
  tell({ kind: 'ready' })
  await openForCommands(engine, config.config.dataDirectory, log)
}

/** The command line's way in: without it the app does all the same. */
async function openForCommands(engine: Engine, dataDirectory: string, log: Log): Promise<void> {
  try {
    const screens = fileURLToPath(new URL('../renderer', import.meta.url))
    const door = held.use(
      await openDoor({
        engine,
        dataDirectory,
        address: '127.0.0.1',
        port: 0,
        allowedHosts: [],
        screens,
        log,
      }),
    )
    await door.announce()
  } catch (failure) {
    log.error('the command line cannot reach this engine', { failure: messageOf(failure) })
  }
}

function sentenceOf(problems: readonly ConfigProblem[]): string {
  const text = problemsText(problems)
  return `The configuration has errors${text === '' ? '' : `: ${text}`}.`
}
