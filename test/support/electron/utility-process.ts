import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { constants } from 'node:os'
import { PortRelay, type MessagePortMain } from './ports.ts'
import { Peer, wireToChild } from './wire.ts'

interface ForkOptions {
  env?: NodeJS.ProcessEnv
  execArgv?: string[]
  cwd?: string
  stdio?: 'pipe' | 'ignore' | 'inherit'
  serviceName?: string
}

/** A utility process as a real child of Node: it can hang, crash and be killed as the real one can. */
export class UtilityProcess extends EventEmitter {
  #child: ChildProcess
  #peer: Peer
  #relay: PortRelay
  readonly serviceName: string

  constructor(modulePath: string, args: readonly string[], options: ForkOptions) {
    super()
    this.serviceName = options.serviceName ?? 'Node Utility Process'
    this.#child = fork(modulePath, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env ?? process.env,
      execArgv: [
        '--import',
        new URL('./utility-child.ts', import.meta.url).href,
        ...(options.execArgv ?? []),
      ],
      serialization: 'advanced',
      stdio: ['ignore', options.stdio ?? 'inherit', options.stdio ?? 'inherit', 'ipc'],
    })
    this.#peer = new Peer(wireToChild(this.#child))
    this.#relay = new PortRelay(this.#peer)
    this.#peer.on('message', (message: unknown) => this.emit('message', message))
    this.#child.once('spawn', () => this.emit('spawn'))
    this.#child.once('exit', (code, signal) => {
      this.#relay.closeAll()
      this.emit('exit', code ?? constants.signals[signal ?? 'SIGKILL'])
    })
  }

  get pid(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined
  }

  postMessage(message: unknown, transfer: readonly MessagePortMain[] = []): void {
    this.#peer.tell(
      'message',
      message,
      transfer.map((port) => this.#relay.give(port)),
    )
  }

  kill(): boolean {
    return this.#child.kill()
  }
}

const forked: UtilityProcess[] = []

/** Those that live, as `app.getAppMetrics` tells of them. */
export const metricsOfChildren = (): { pid: number; type: string; name: string }[] =>
  forked.flatMap(({ pid, serviceName }) =>
    pid === undefined ? [] : [{ pid, type: 'Utility', name: serviceName }],
  )

export const utilityProcess = {
  fork(modulePath: string, args: readonly string[] = [], options: ForkOptions = {}): UtilityProcess {
    const child = new UtilityProcess(modulePath, args, options)
    forked.push(child)
    return child
  },
}
