import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { EdgeFailure, messageOf } from '../failure.ts'
import type { Refusal } from '../guards/gate.ts'
import { ClientConnections, type Give } from './client-connections.ts'
import { Exchange, type Forwarding } from './forward.ts'
import { originOf, type Origin } from './origin.ts'
import { refuse, refuseUpgrade } from './refuse.ts'
import { checkRequest, hasBody, type Destination } from './request-check.ts'
import { stickyCookie, type Route } from './router.ts'
import { tunnel } from './tunnel.ts'

const nobody: Refusal = {
  status: 503,
  text: 'No healthy instance can take this request.',
  retryAfterSeconds: 1,
}

/** The port of one service. */
export class Listener {
  readonly #forwarding: Forwarding
  readonly #server: Server
  readonly #connections: ClientConnections
  readonly #tunnelled = new Set<Duplex>()

  constructor(forwarding: Forwarding) {
    this.#forwarding = forwarding
    const { limits } = forwarding
    this.#server = createServer(
      {
        maxHeaderSize: limits.maxHeaderBytes,
        headersTimeout: limits.clientHeadersMs,
        requestTimeout: limits.clientRequestMs,
        connectionsCheckingInterval: Math.min(1000, limits.clientHeadersMs / 4),
        keepAliveTimeout: Math.min(75_000, limits.clientIdleMs),
        insecureHTTPParser: false,
        requireHostHeader: true,
        noDelay: true,
        // To ask for another protocol is an offer (RFC 9110 §7.8): Java's own client makes that of HTTP/2 to everybody.
        shouldUpgradeCallback: isHandshake,
      },
      (request, response) => this.#serve(request, response),
    )
    // Counted by us with an answer; Node would silently leave out what is too many.
    this.#server.maxHeadersCount = 0
    this.#server.setTimeout(limits.clientIdleMs, (socket: Socket) => socket.destroy())
    // The body is asked for when an instance takes it: what is refused is not uploaded first.
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#serve(request, response),
    )
    this.#connections = new ClientConnections(this.#server, limits.maxConnections)
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Throws CONFLICT when the port is taken, BAD_INPUT when the address is not this machine's. */
  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (failure: NodeJS.ErrnoException) => {
        const code = failure.code === 'EADDRINUSE' ? 'CONFLICT' : 'BAD_INPUT'
        reject(new EdgeFailure(code, `Cannot listen on ${host}:${port}: ${messageOf(failure)}`))
      })
      this.#server.listen({ host, port }, resolve)
    })
    this.#server.removeAllListeners('error')
    // Too many open files and the like: one connection is lost, the service goes on.
    this.#server.on('error', () => undefined)
  }

  /** Its port as another edge can take it over, which then listens beside this one. */
  get shared(): SocketServer {
    return this.#server
  }

  /** Listens on the port of an edge before this one. Throws when it does not come to that: that one must keep it. */
  take(port: SocketServer): void {
    this.#server.on('error', () => undefined)
    this.#server.listen(port)
    if (!this.#server.listening) throw new Error('a port that was handed over cannot be listened on')
  }

  /** A client of an edge before this one, between two requests. */
  takeConnection(connection: Socket): void {
    this.#connections.take(connection, this.#server.keepAliveTimeout)
  }

  /** Takes no new connections, and gives each away as soon as it has no request. */
  giveAway(give: Give): void {
    this.#connections.giveAway(give)
  }

  /** What is under way may end within `withinMs`, WebSockets too, then it is cut. */
  async drain(withinMs: number): Promise<void> {
    await this.#connections.close(withinMs)
  }

  /** Takes no new connections; what is under way may end within `withinMs`, then it is cut. */
  async close(withinMs: number): Promise<void> {
    for (const socket of this.#tunnelled) socket.destroy()
    await this.#connections.close(withinMs)
  }

  readonly #settle = (): void => this.#connections.settle()

  #serve(request: IncomingMessage, response: ServerResponse): void {
    response.once('close', this.#settle)
    const origin = originOf(request, this.#forwarding.trusts)
    const found = this.#find(request, origin)
    if ('status' in found) {
      refuse(request, response, found)
      return
    }
    const { to, route } = found
    const cookie =
      route.newPoint === null
        ? null
        : `${stickyCookie}=${route.newPoint.toFixed(9)}; Path=/; HttpOnly; SameSite=Lax`
    new Exchange(this.#forwarding, request, response, to, origin, route.instance, cookie).send()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const origin = originOf(request, this.#forwarding.trusts)
    const found: Refusal | { to: Destination; route: Route } = isHandshake(request)
      ? this.#findUpgrade(request, origin)
      : { status: 501, text: 'Only WebSocket is served.' }
    if ('status' in found) {
      refuseUpgrade(socket, found)
      return
    }
    request.socket.setTimeout(0)
    this.#tunnelled.add(socket)
    socket.once('close', () => this.#tunnelled.delete(socket))
    tunnel(this.#forwarding, request, socket, head, found.to, origin, found.route.instance)
  }

  /** A handshake has no body: what one reader takes for it the next one takes for frames. */
  #findUpgrade(request: IncomingMessage, origin: Origin): Refusal | { to: Destination; route: Route } {
    return hasBody(request) ? { status: 400, text: 'A handshake with a body.' } : this.#find(request, origin)
  }

  #find(request: IncomingMessage, { client }: Origin): Refusal | { to: Destination; route: Route } {
    const { gate, router, limits } = this.#forwarding
    const to = checkRequest(request, limits)
    if ('status' in to) return to
    const priority = request.headers['priority']
    const refusal = gate.refuse(client, typeof priority === 'string' ? priority : undefined)
    if (refusal) return refusal
    const route = router.route(request, client)
    return route ? { to, route } : nobody
  }
}

const isHandshake = ({ headers, method }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket' && method === 'GET'
