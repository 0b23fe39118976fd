import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { cutOff } from './cut-response.ts'

/** Between two looks for connections without a request: at first, and at last where requests take long. */
const [sweepFirstMs, sweepLastMs] = [20, 250]

/** Takes a connection over; it is no longer ours. */
export type Give = (connection: Socket) => void

/** The client connections of one HTTP server, accepted by it or handed to it by an edge before this one. */
export class ClientConnections {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  /** Taken over and silent since, and what makes the server read them. */
  readonly #waiting = new Map<Socket, () => void>()
  #give: Give | null = null

  /** Those above `max` are closed at once. */
  constructor(server: Server, max: () => number) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      if (this.#open.has(socket)) return
      if (this.#open.size < max()) this.#track(socket)
      else socket.destroy()
    })
  }

  /**
   * A client of an edge before this one, between two requests. The server gets it with its first byte: from then on
   * it counts how long a header takes. Closed when nothing comes for `idleMs`.
   */
  take(connection: Socket, idleMs: number): void {
    // As that of a connection which the server has accepted itself: a client may end its half first.
    connection.allowHalfOpen = true
    connection.setTimeout(idleMs, () => connection.destroy())
    connection.on('error', () => connection.destroy())
    this.#track(connection)
    const begin = () => {
      connection.off('readable', begin)
      this.#waiting.delete(connection)
      this.#server.emit('connection', connection)
    }
    this.#waiting.set(connection, begin)
    connection.on('readable', begin)
  }

  /** Takes no new connections, and gives each away that has no request: now, or as soon as it has none. */
  giveAway(give: Give): void {
    this.#give = give
    this.#passOn(() => this.#server.close())
  }

  /** A request has ended. */
  settle(): void {
    if (this.#give) this.#passOn(() => this.#server.closeIdleConnections())
  }

  /**
   * Takes no new connections; requests in progress may end within `withinMs`, then they are cut off. A kept connection
   * whose last request has ended is not waited for: it would stay idle as long as its other end likes.
   */
  async close(withinMs: number): Promise<void> {
    if (this.#server.listening) this.#server.close()
    const { promise: isEmpty, resolve } = Promise.withResolvers<void>()
    let sweeps: NodeJS.Timeout | null = null
    let nextMs = sweepFirstMs
    const sweep = () => {
      if (this.#give) this.settle()
      else {
        this.#server.closeIdleConnections()
        for (const socket of this.#waiting.keys()) socket.destroy()
      }
      if (this.#open.size === 0) return resolve()
      sweeps = setTimeout(sweep, nextMs)
      nextMs = Math.min(sweepLastMs, nextMs * 1.1)
    }
    sweep()
    const cut = setTimeout(() => {
      for (const socket of this.#open) cutOff(socket)
    }, withinMs)
    await isEmpty
    if (sweeps) clearTimeout(sweeps)
    clearTimeout(cut)
  }

  /**
   * Only Node's parser knows whether the first bytes of a next request have come, and its own way to tell is to
   * destroy those connections of which none have: they are caught at that. What is given stops reading in the same
   * turn, so that all it has yet to say is read by whoever gets it.
   */
  #passOn(closeIdle: () => void): void {
    // As the server's own they can be kept from being read.
    for (const begin of this.#waiting.values()) begin()
    const idle = new Set<Socket>()
    for (const socket of this.#open)
      socket.destroy = () => {
        idle.add(socket)
        return socket
      }
    closeIdle()
    for (const socket of this.#open) {
      const isIdle = (idle.has(socket) || socket.bytesRead === 0) && socket.writableLength === 0
      // Given away it stays undestroyed, whatever Node's timers want of it.
      if (!isIdle) Reflect.deleteProperty(socket, 'destroy')
      else {
        socket.pause()
        this.#open.delete(socket)
        this.#give?.(socket)
      }
    }
  }

  #track(socket: Socket): void {
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#waiting.delete(socket)
    })
  }
}
