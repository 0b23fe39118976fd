import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Between two looks for connections without a request. */
const sweepEveryMs = 20

/** Takes a connection over; it is no longer ours. */
export type Give = (connection: Socket) => void

/** The client connections of one HTTP server, accepted by it or handed to it by an edge before this one. */
export class ClientConnections {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  #give: Give | null = null

  /** Those above `max` are closed at once. */
  constructor(server: Server, max: number) {
    this.#server = server
    server.on('connection', (socket: Socket) => {
      if (this.#open.size >= max) {
        socket.destroy()
        return
      }
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
    })
  }

  get count(): number {
    return this.#open.size
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
   * Takes no new connections; requests under way may end within `withinMs`, then they are cut off. A kept connection
   * whose last request has ended is not waited for: it would stay idle as long as its other end likes.
   */
  async close(withinMs: number): Promise<void> {
    if (this.#server.listening) this.#server.close()
    const { promise: isEmpty, resolve } = Promise.withResolvers<void>()
    const sweep = () => {
      if (this.#give) this.settle()
      else this.#server.closeIdleConnections()
      if (this.#open.size === 0) resolve()
    }
    sweep()
    const sweeps = setInterval(sweep, sweepEveryMs)
    const cut = setTimeout(() => {
      for (const socket of this.#open) socket.destroy()
    }, withinMs)
    await isEmpty
    clearInterval(sweeps)
    clearTimeout(cut)
  }

  /**
   * Only Node's parser knows whether the first bytes of a next request have come, and its own way to tell is to
   * destroy those connections of which none have: they are caught at that. What is given stops reading in the same
   * turn, so that all it has yet to say is read by whoever gets it.
   */
  #passOn(closeIdle: () => void): void {
    const idle = new Set<Socket>()
    for (const socket of this.#open)
      socket.destroy = () => {
        idle.add(socket)
        return socket
      }
    closeIdle()
    for (const socket of this.#open) {
      // One that has said nothing at all is not yet idle to the parser.
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
}
