import { EventEmitter } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Peer } from './wire.ts'

/** Electron's port over Node's: messages wait until `start`, and arrive as events. */
export class MessagePortMain extends EventEmitter {
  readonly #native: MessagePort
  #isStarted = false

  constructor(native: MessagePort) {
    super()
    this.#native = native
    native.on('close', () => this.emit('close'))
  }

  postMessage(message: unknown, transfer: readonly unknown[] = []): void {
    if (transfer.length > 0) throw new Error('the double cannot send ports through a port')
    this.#native.postMessage(message)
  }

  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#native.on('message', (data: unknown) => this.emit('message', { data, ports: [] }))
  }

  close(): void {
    this.#native.close()
  }
}

export class MessageChannelMain {
  readonly port1: MessagePortMain
  readonly port2: MessagePortMain

  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.port1 = new MessagePortMain(port1)
    this.port2 = new MessagePortMain(port2)
  }
}

let nextPort = 0

/** Carries ports between two processes: Node can only transfer them between threads. */
export class PortRelay {
  #peer: Peer
  #ports = new Map<string, MessagePortMain>()

  constructor(peer: Peer) {
    this.#peer = peer
    peer.on('port.data', (id: string, data: unknown) => this.#ports.get(id)?.postMessage(data))
    peer.on('port.close', (id: string) => this.#ports.get(id)?.close())
  }

  /** Gives `port` to the other process; the result names it there. */
  give(port: MessagePortMain): string {
    const id = `${process.pid}-${nextPort++}`
    this.#pump(id, port)
    return id
  }

  /** The port the other process named. */
  take(id: string): MessagePortMain {
    const { port1, port2 } = new MessageChannelMain()
    this.#pump(id, port1)
    return port2
  }

  /** The other process is gone: its ends of all ports are. */
  closeAll(): void {
    for (const port of this.#ports.values()) port.close()
  }

  #pump(id: string, port: MessagePortMain): void {
    this.#ports.set(id, port)
    port.on('message', ({ data }: { data: unknown }) => this.#peer.tell('port.data', id, data))
    port.once('close', () => {
      if (this.#ports.delete(id)) this.#peer.tell('port.close', id)
    })
    port.start()
  }
}
