import { MessageChannelMain, utilityProcess, type MessagePortMain, type UtilityProcess } from 'electron'
import type { EngineProcessState } from '../src/contract/index.ts'
import type { EdgeProgram } from '../src/hosts/edge/index.ts'
import { engineArguments, engineMessageSchema, type ShellMessage } from '../src/hosts/engine-process/index.ts'
import { backoffMs } from '../src/base/index.ts'
import { consecutiveFailures, restartBackoff } from './restart-backoff.ts'

export interface EngineProcessOptions {
  /** The engine's program. */
  entry: string
  dataDirectory: string
  /** What runs the embedded platform; undefined is the engine's own program. */
  edgeProgram: EdgeProgram | undefined
  changed: (state: EngineProcessState) => void
}

export interface EnginePorts {
  live: MessagePortMain
  calls: MessagePortMain
}

const stopWithinMs = 5000

/** The engine in a process of its own, started again whenever it ends without having been asked to. */
export class EngineProcess {
  #options: EngineProcessOptions
  #state: EngineProcessState = { kind: 'stopped', restartCount: 0 }
  #child: UtilityProcess | undefined
  #startedAtMs = 0
  #failureCount = 0
  #failure = ''
  #retry: NodeJS.Timeout | undefined

  constructor(options: EngineProcessOptions) {
    this.#options = options
  }

  get state(): EngineProcessState {
    return this.#state
  }

  start(): void {
    if (this.#child || this.#retry) return
    this.#spawn(0, '')
  }

  /** Ports of a new consumer, or undefined while there is no engine to speak to. */
  connect(actor: string): EnginePorts | undefined {
    if (this.#state.kind !== 'running' || !this.#child) return undefined
    const live = new MessageChannelMain()
    const calls = new MessageChannelMain()
    this.#tell({ kind: 'consumer', actor }, [live.port1, calls.port1])
    return { live: live.port2, calls: calls.port2 }
  }

  /** Asks the engine to end, and ends it when it does not. Resolves when it is gone. */
  async stop(): Promise<void> {
    clearTimeout(this.#retry)
    this.#retry = undefined
    const child = this.#child
    this.#show({ kind: 'stopped', restartCount: this.#state.restartCount })
    if (!child) return
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    this.#tell({ kind: 'stop' })
    // What did not hear the message does not hear a polite signal either.
    const force = setTimeout(() => {
      if (child.pid !== undefined) process.kill(child.pid, 'SIGKILL')
    }, stopWithinMs)
    await ended
    clearTimeout(force)
  }

  #spawn(restartCount: number, reason: string): void {
    const { entry, dataDirectory, edgeProgram } = this.#options
    this.#retry = undefined
    this.#failure = ''
    this.#startedAtMs = performance.now()
    this.#show({ kind: 'starting', restartCount, reason })
    const child = utilityProcess.fork(entry, engineArguments({ dataDirectory, edgeProgram }), {
      serviceName: 'Pilothouse engine',
    })
    this.#child = child
    child.on('message', (raw: unknown) => this.#receive(raw))
    child.on('error', (type, location) => {
      this.#failure = `the engine's process failed (${type} in ${location})`
    })
    child.once('exit', (code) => this.#ended(code))
  }

  #receive(raw: unknown): void {
    const message = engineMessageSchema.parse(raw)
    if (message.kind === 'failed') this.#failure = message.message
    else if (this.#state.kind === 'starting') {
      this.#show({ kind: 'running', restartCount: this.#state.restartCount })
    }
  }

  #ended(code: number): void {
    this.#child = undefined
    if (this.#state.kind === 'stopped') return
    this.#failureCount = consecutiveFailures(this.#failureCount, performance.now() - this.#startedAtMs)
    const restartCount = this.#state.restartCount + 1
    const delayMs = backoffMs(this.#failureCount, restartBackoff, Math.random())
    const reason = this.#failure || `the engine's process ended unexpectedly (code ${code})`
    this.#retry = setTimeout(() => this.#spawn(restartCount, reason), delayMs)
    this.#show({ kind: 'waiting', restartCount, retryAtMs: Date.now() + delayMs, reason })
  }

  #tell(message: ShellMessage, ports: MessagePortMain[] = []): void {
    this.#child?.postMessage(message, ports)
  }

  #show(state: EngineProcessState): void {
    this.#state = state
    this.#options.changed(state)
  }
}

const clause = (sentence: string): string => sentence.replace(/\.$/, '')

/** Why there is no engine to speak to, for a person; a clause without its full stop. */
export function absenceOf(state: EngineProcessState): string {
  switch (state.kind) {
    case 'starting':
      return state.reason === ''
        ? 'the engine is starting'
        : `${clause(state.reason)}; restart ${state.restartCount} is in progress`
    case 'running':
      return 'the engine is starting'
    case 'waiting':
      return `${clause(state.reason)}; restart ${state.restartCount} follows`
    case 'stopped':
      return 'the engine was stopped'
  }
}
