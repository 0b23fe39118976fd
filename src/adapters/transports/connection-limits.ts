import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Clock } from '../../base/index.ts'

/** What the connections of a server may cost. */
export interface ConnectionLimits {
  /** TCP connections at a time. One more closes the connection that asked for nothing for the longest time. */
  connections: number
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
  socketsPerToken: 100,
  queuedBytes: 4 * 1024 * 1024,
  silentMs: 30_000,
  headMs: 10_000,
}

/** "Try again later", of the registry of WebSocket close codes. */
const tooMuch = 1013

/**
 * Keeps the connections of `server` below a number. What is closed first is what has been silent for the longest time, so
 * that a flood of connections that ask for nothing closes its own, not those of people and programs at work. `release` is
 * for one that is limited by other means from now on.
 */
export function limitConnections(
  server: Server,
  { connections }: ConnectionLimits,
): { release: (socket: Socket) => void } {
  /** The one that asked last stands last. */
  const waiting = new Set<Socket>()
  const busy = new Set<Socket>()
  server.on('connection', (socket) => {
    waiting.add(socket)
    socket.once('close', () => {
      waiting.delete(socket)
      busy.delete(socket)
    })
    if (waiting.size + busy.size <= connections) return
    const [silent = socket] = waiting
    silent.destroy()
    waiting.delete(silent)
  })
  server.on('request', ({ socket }: IncomingMessage, response) => {
    waiting.delete(socket)
    busy.add(socket)
    response.once('close', () => {
      busy.delete(socket)
      if (!socket.destroyed) waiting.add(socket)
    })
  })
  return { release: (socket) => void waiting.delete(socket) }
}

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
