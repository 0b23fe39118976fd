import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Server as SocketServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError, messageOf } from '../../base/index.ts'
import type { GuardRefusal } from '../guards/index.ts'
import type { Forwarding } from './attempts.ts'
import { ClientConnections, type Give } from './client-connections.ts'
import { cutOff } from './cut-response.ts'
import { Exchange } from './forward.ts'
import { originOf, type RequestOrigin } from './origin.ts'
import { refuse, refuseConnection } from './refuse.ts'
import { checkRequest, hasBody, type Destination } from './request-check.ts'
import { stickyCookie, type Route, type Unserved } from './router.ts'
import { Tunnel } from './tunnel.ts'
import { Turns, type ParserStop } from './turns.ts'

const unserved = (why: Unserved['why']): GuardRefusal => ({
  status: 503,
  text:
    why === 'all full'
      ? 'All instances are busy, and too many requests are already waiting.'
      : 'No healthy instance can take this request.',
  retryAfterSeconds: 1,
})

/** How often Node looks for clients that take too long to send a request. */
const lookEveryMs = 250
const longestKeepAliveMs = 75_000

/** The port of one service. */
export class Listener {
  readonly #forwarding: Forwarding
  readonly #server: Server
  readonly #connections: ClientConnections
  readonly #tunnelled = new Set<Duplex>()
  readonly #turns: Turns

  constructor(forwarding: Forwarding) {
    this.#forwarding = forwarding
    this.#turns = new Turns(
      (request, response) => this.#serve(request, response),
      () => forwarding.clock.monotonicMs(),
    )
    this.#server = createServer(
      {
        connectionsCheckingInterval: lookEveryMs,
        insecureHTTPParser: false,
        // Refused by us, as all that is malformed: what Node answers itself takes no turn.
        requireHostHeader: false,
        noDelay: true,
        // To ask for another protocol is an offer (RFC 9110 §7.8): Java's own client makes that of HTTP/2 to everybody.
        // Behind another request it is not taken: what is joined now would be mixed with the response before.
        shouldUpgradeCallback: (request) => isHandshake(request) && !this.#turns.isBusy(request.socket),
      },
      (request, response) => this.#turns.take(request, response),
    )
    // A client that has closed its half only gets its response: see `Turns`.
    Object.assign(this.#server, { httpAllowHalfOpen: true })
    // Counted by us with an answer; Node would silently leave out what is too many.
    this.#server.maxHeadersCount = 0
    this.applyLimits()
    // The body is asked for when an instance takes it: what is refused is not uploaded first.
    for (const event of ['checkContinue', 'checkExpectation'])
      this.#server.on(event, (request: IncomingMessage, response: ServerResponse) =>
        this.#turns.take(request, response),
      )
    this.#server.on('connection', (socket: Socket) => this.#turns.attach(socket))
    this.#server.on('clientError', (stop: ParserStop, socket) => this.#turns.stopped(socket as Socket, stop))
    this.#connections = new ClientConnections(this.#server, () => forwarding.limits.maxClientConnections)
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  /** Limits of the service have changed: they hold for connections and requests that come from now on. */
  applyLimits(): void {
    const { limits, timeouts } = this.#forwarding
    Object.assign(this.#server, {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: timeouts.requestHeadersMs,
      requestTimeout: timeouts.requestMs ?? 0,
      keepAliveTimeout: Math.min(longestKeepAliveMs, timeouts.clientIdleMs),
    })
    this.#server.removeAllListeners('timeout')
    this.#server.setTimeout(timeouts.clientIdleMs, (socket: Socket) => {
      // A response may be quiet for as long as its own limits allow. A client that takes nothing of it may not.
      const awaitsResponse = this.#turns.isBusy(socket) && socket.writableLength === 0
      if (!awaitsResponse) socket.destroy()
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Throws CONFLICT when the port is taken, BAD_INPUT when the address is not this machine's. */
  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (failure: NodeJS.ErrnoException) => {
        const code = failure.code === 'EADDRINUSE' ? 'CONFLICT' : 'BAD_INPUT'
        reject(new AppError(code, `Cannot listen on ${host}:${port}: ${reasonOf(failure, host, port)}`))
      })
      this.#server.listen({ host, port }, resolve)
    })
    this.#server.removeAllListeners('error')
    // Too many open files and the like: one connection is lost, the service goes on.
    this.#server.on('error', () => undefined)
  }

  /**
   * Listens on a socket that this process was started with, where clients may be waiting already. False when it is
   * none, or is bound to another port; this listener is of no use then.
   */
  async listenOn(descriptor: number, port: number): Promise<boolean> {
    const isListening = await new Promise<boolean>((resolve) => {
      this.#server.once('error', () => resolve(false))
      this.#server.listen({ fd: descriptor }, () => resolve(true))
    })
    this.#server.removeAllListeners('error')
    this.#server.on('error', () => undefined)
    if (isListening && (port === 0 || this.port === port)) return true
    if (isListening) this.#server.close()
    return false
  }

  /** The descriptor of its listening socket, for a process that holds the port, too; null where there is none. */
  get descriptor(): number | null {
    const { _handle: handle } = this.#server as unknown as { _handle: { fd?: number } | null }
    return handle?.fd !== undefined && handle.fd >= 0 ? handle.fd : null
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

  /**
   * What is in progress may end within `withinMs`, WebSockets too, then it is cut. A request that a client has pipelined
   * is begun within `beginWithinMs` only. Called again, the shorter time counts.
   */
  async drain({ beginWithinMs, withinMs }: { beginWithinMs: number; withinMs: number }): Promise<void> {
    using _end = this.#forwarding.clock.after(beginWithinMs, () => this.#turns.end())
    await this.#connections.close(withinMs)
  }

  /** Takes no new connections; what is in progress may end within `withinMs`, then it is cut. */
  async close(withinMs: number): Promise<void> {
    for (const socket of this.#tunnelled) cutOff(socket)
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
    new Exchange(this.#forwarding, request, response, to, origin, route.instance, cookie).start()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const origin = originOf(request, this.#forwarding.trusts)
    const found: GuardRefusal | { to: Destination; route: Route } = isHandshake(request)
      ? this.#findUpgrade(request, origin)
      : { status: 501, text: 'Only WebSocket is supported.' }
    if ('status' in found) {
      refuseConnection(socket, found)
      return
    }
    request.socket.setTimeout(0)
    this.#tunnelled.add(socket)
    socket.once('close', () => this.#tunnelled.delete(socket))
    new Tunnel(this.#forwarding, request, socket, head, found.to, origin, found.route.instance).start()
  }

  /** A handshake has no body: what one reader takes for it the next one takes for frames. */
  #findUpgrade(
    request: IncomingMessage,
    origin: RequestOrigin,
  ): GuardRefusal | { to: Destination; route: Route } {
    return hasBody(request)
      ? { status: 400, text: 'A WebSocket handshake must not have a body.' }
      : this.#find(request, origin)
  }

  #find(
    request: IncomingMessage,
    { client }: RequestOrigin,
  ): GuardRefusal | { to: Destination; route: Route } {
    const { gate, router, limits, bins } = this.#forwarding
    const to = checkRequest(request, limits)
    if ('status' in to) return to
    const priority = request.headers['priority']
    const refusal = gate.refuse(client, typeof priority === 'string' ? priority : undefined)
    if (refusal) return refusal
    const route = router.route(request, client)
    if ('why' in route) {
      if (route.releaseId !== null) bins.of(route.releaseId).unserved()
      return unserved(route.why)
    }
    if (route.divertedFrom !== null) bins.of(route.divertedFrom).diverted()
    return { to, route }
  }
}

const isHandshake = ({ headers, method }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket' && method === 'GET'

function reasonOf(failure: NodeJS.ErrnoException, host: string, port: number): string {
  switch (failure.code) {
    case 'EADDRINUSE':
      return `another program uses port ${port} (EADDRINUSE)`
    case 'EACCES':
      return `this user may not use port ${port} (EACCES)`
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine (EADDRNOTAVAIL)`
    default:
      return messageOf(failure)
  }
}
