import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Clock } from '../../base/index.ts'

/** What the connections of a server may cost. */
export interface ConnectionLimits {
  /** TCP connections at a time. One more closes the connection that had no right to ask for the longest time. */
  connections: number
  /** Requests that may wait on a connection while one before them is answered; one more cuts the connection off. */
  pipelined: number
  /** What may wait to be read by the other ends of all HTTP connections; the worst are cut off. */
  unreadBytes: number
  /** A connection of which no byte of a response is taken for this long is cut off. */
  unreadMs: number
  /** Longest time for the body of a sign-in, which anybody may send. */
  signInMs: number
  /** Longest time for the rest of a request that has been answered already; it is thrown away. */
  lingerMs: number
  /** Most of that rest. */
  lingerBytes: number
  /** WebSockets at a time with one token or session; one more is closed at once. */
  socketsPerToken: number
  /** What may wait to be read by the other end of a WebSocket; the next message closes it instead. */
  queuedBytes: number
  /** A WebSocket whose other end answers no ping for this long is cut off. */
  silentMs: number
  /** Longest time from the connection, or the request before, to the head of a request. */
  headMs: number
}

export const connectionLimits: ConnectionLimits = {
  connections: 512,
  pipelined: 16,
  unreadBytes: 64 * 1024 * 1024,
  unreadMs: 30_000,
  signInMs: 5000,
  lingerMs: 5000,
  lingerBytes: 8 * 1024 * 1024,
  socketsPerToken: 100,
  queuedBytes: 4 * 1024 * 1024,
  silentMs: 30_000,
  headMs: 10_000,
}

/** "Try again later", of the registry of WebSocket close codes. */
const tooMuch = 1013

/** How often what waits to be read is summed up, beside at each request. */
const lookEveryMs = 1000

/**
 * The HTTP connections of a server, within its limits. What is closed first is what has been without an authorized request
 * for the longest time, so that a flood of connections closes its own, not those of people and programs at work.
 */
export class ConnectionBook implements Disposable {
  readonly #limits: ConnectionLimits
  /** Those without an authorized request. The one that asked last stands last. */
  readonly #waiting = new Set<Socket>()
  readonly #busy = new Set<Socket>()
  readonly #clock: Clock
  readonly #look: Disposable

  constructor(server: Server, clock: Clock, limits: ConnectionLimits) {
    this.#limits = limits
    this.#clock = clock
    server.on('connection', (socket) => this.#add(socket))
    server.on('request', ({ socket }: IncomingMessage) => {
      if (this.#waiting.delete(socket)) this.#waiting.add(socket)
    })
    this.#look = clock.every(lookEveryMs, () => this.makeRoom())
  }

  /** The request has been authorized: its connection is not closed for another one until it has been answered. */
  authorized({ socket }: IncomingMessage, response: ServerResponse): void {
    if (!this.#waiting.delete(socket)) return
    this.#busy.add(socket)
    response.once('close', () => {
      if (this.#busy.delete(socket) && !socket.destroyed) this.#waiting.add(socket)
    })
  }

  /**
   * The request is answered before all of it has come: its connection, which the response must say is closed, ends when
   * the client has had time to read it. Closed under a client that still sends, the system would answer with a reset,
   * and the client would lose the response. The rest is thrown away, within the limits.
   */
  linger(request: IncomingMessage): void {
    const { socket } = request
    let rest = this.#limits.lingerBytes
    request.on('data', ({ length }: Buffer) => {
      rest -= length
      if (rest < 0) socket.destroy()
    })
    // Node calls it when the response has been written.
    const close = socket.destroySoon.bind(socket)
    socket.destroySoon = () => {
      if (request.complete) return close()
      socket.end()
      const late = this.#clock.after(this.#limits.lingerMs, () => socket.destroy())
      socket.once('close', () => late[Symbol.dispose]())
    }
  }

  /** For a connection that is limited by other means from now on. */
  release(socket: Socket): void {
    this.#waiting.delete(socket)
    this.#busy.delete(socket)
  }

  /** What waits to be read by all other ends. */
  get unreadBytes(): number {
    return [...this.#waiting, ...this.#busy].reduce((sum, socket) => sum + unreadOf(socket), 0)
  }

  /** Closes what reads its responses too slowly, if all together hold too much: without authorization first, then the worst. */
  makeRoom(): void {
    let excess = this.unreadBytes - this.#limits.unreadBytes
    for (const sockets of [this.#waiting, this.#busy]) {
      if (excess <= 0) return
      for (const socket of [...sockets].sort((a, b) => unreadOf(b) - unreadOf(a))) {
        if (excess <= 0) return
        excess -= unreadOf(socket)
        socket.destroy()
      }
    }
  }

  [Symbol.dispose](): void {
    this.#look[Symbol.dispose]()
  }

  #add(socket: Socket): void {
    this.#waiting.add(socket)
    socket.once('close', () => this.release(socket))
    if (this.#waiting.size + this.#busy.size <= this.#limits.connections) return
    const [silent = socket] = this.#waiting
    silent.destroy()
    this.#waiting.delete(silent)
  }
}

const unreadOf = (socket: Socket): number => (socket.destroyed ? 0 : socket.writableLength)

/** The open WebSockets of a server, within its limits. */
export class SocketBook implements Disposable {
  readonly #limits: ConnectionLimits
  readonly #byToken = new Map<string, Set<WebSocket>>()
  readonly #answered = new WeakSet<WebSocket>()
  readonly #pings: Disposable

  constructor(clock: Clock, limits: ConnectionLimits) {
    this.#limits = limits
    this.#pings = clock.every(limits.silentMs, () => this.#ping())
  }

  /** Whether one more may stay; it is closed if not. */
  admit(socket: WebSocket, token: string): boolean {
    const sockets = this.#byToken.get(token) ?? new Set()
    if (sockets.size >= this.#limits.socketsPerToken) {
      socket.on('error', () => socket.terminate())
      socket.close(tooMuch, 'too many connections')
      return false
    }
    this.#byToken.set(token, sockets.add(socket))
    this.#answered.add(socket)
    socket.on('pong', () => this.#answered.add(socket))
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) this.#byToken.delete(token)
    })
    return true
  }

  /** What waits to be read by all other ends. */
  get queuedBytes(): number {
    return this.#sockets().reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0)
  }

  [Symbol.dispose](): void {
    this.#pings[Symbol.dispose]()
  }

  /** A peer that reads answers at once, without any doing of the page; one that does not is not worth its memory. */
  #ping(): void {
    for (const socket of this.#sockets()) {
      if (this.#answered.delete(socket)) socket.ping()
      else socket.terminate()
    }
  }

  #sockets(): WebSocket[] {
    return [...this.#byToken.values()].flatMap((sockets) => [...sockets])
  }
}

/** Whether `socket` may take one more message; what reads too slowly is closed. */
export function hasRoom(socket: WebSocket, queuedBytes: number): boolean {
  if (socket.bufferedAmount <= queuedBytes) return true
  socket.close(tooMuch, 'reads too slowly')
  return false
}
