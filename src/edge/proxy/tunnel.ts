import { request as connect, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { GuardRefusal } from '../guards/index.ts'
import { maxResponseHeadBytes, type Instance } from '../supervisor/index.ts'
import { Attempts, NoResponse, type Forwarding, type Sender } from './attempts.ts'
import { begun, outcomeOfCut, outcomeOfWhole, type Begun, type CutBy } from './cut-response.ts'
import { requestHeaders } from './headers.ts'
import type { RequestOrigin } from './origin.ts'
import { refuseConnection } from './refuse.ts'
import type { Destination } from './request-check.ts'

/** From the end of one side of a WebSocket on, for what the other side still says. */
const farewellMs = 1000

/**
 * A WebSocket: the handshake is attempted and counted as a request; after 101 both sides are joined until one ends,
 * nothing moves for too long, or the instance is stopped. Until then it keeps its slot at the instance. Any other response
 * is handed back and the connection closed, so that nothing can be sent past the proxy on it.
 */
export class Tunnel implements Sender {
  readonly #with: Forwarding
  readonly #request: IncomingMessage
  readonly #client: Duplex
  /** What the client sent behind its handshake. */
  readonly #head: Buffer
  readonly #to: Destination
  readonly #origin: RequestOrigin
  readonly #attempts: Attempts
  #upstream: ClientRequest | null = null
  /** A response that is none of 101. */
  #refusal: Begun | null = null

  constructor(
    forwarding: Forwarding,
    request: IncomingMessage,
    client: Duplex,
    head: Buffer,
    to: Destination,
    origin: RequestOrigin,
    instance: Instance,
  ) {
    this.#with = forwarding
    this.#request = request
    this.#client = client
    this.#head = head
    this.#to = to
    this.#origin = origin
    this.#attempts = new Attempts(forwarding, origin.client, instance, this)
    client.on('error', () => this.#upstream?.destroy())
    // Nobody reads it before it is joined, and who does not read does not see that the other end has gone.
    client.once('end', this.#hungUp)
    client.read(0)
    client.on('close', () => {
      this.#attempts.disconnected(client, this.#refusal)
      this.#upstream?.destroy()
    })
  }

  /** Sends the handshake as soon as the instance has a slot; everything after happens by itself. */
  start(): void {
    this.#attempts.start()
  }

  send(): void {
    let isConnected = false
    const upstream = connect({
      method: this.#request.method,
      path: this.#to.path,
      headers: [
        ...requestHeaders(this.#request, this.#origin, this.#to.host),
        ...['connection', 'upgrade', 'upgrade', String(this.#request.headers.upgrade)],
      ],
      maxHeaderSize: maxResponseHeadBytes,
      createConnection: (_, done) => {
        this.#attempts.instance.connect((failure, socket) => {
          isConnected = !failure
          // Its type knows no failure without a socket.
          done(failure, socket as Duplex)
        })
        return undefined
      },
    })
    // Node would silently leave out what is above its own number.
    upstream.maxHeadersCount = 0
    this.#upstream = upstream
    const failed = (failure: Error) => {
      if (this.#upstream !== upstream || !this.#attempts.isUnderWay) return
      if (this.#refusal) return this.#broken('instance')
      this.#upstream = null
      this.#attempts.failed(failure, { isUnsent: !isConnected, isIdempotent: false })
    }
    // Interim responses keep the connection from being idle, and give the handshake no more time.
    this.#attempts.limitResponse(() => {
      failed(new NoResponse())
      upstream.destroy()
    })
    upstream.on('error', failed)
    upstream.on('response', (response) => this.#refused(response))
    upstream.on('upgrade', (response, socket, rest) => this.#join(response, socket, rest))
    upstream.end()
  }

  giveUp(refusal: GuardRefusal): void {
    refuseConnection(this.#client, refusal)
  }

  #refused(response: IncomingMessage): void {
    const { statusCode = 502, headers } = response
    const refusal = begun(statusCode, headers['content-length'] !== undefined, headers['content-type'])
    this.#refusal = refusal
    this.#attempts.responded(refusal.isEventStream)
    this.#client.write(headOf(response, 'connection: close\r\n'), 'latin1')
    response.setTimeout(this.#with.timeouts.responseMs, () => this.#broken('limit'))
    response.on('data', () => {
      refusal.hasBytes = true
      this.#attempts.moved()
    })
    response.once('end', () => this.#attempts.end(outcomeOfWhole(refusal)))
    // Nothing else would end it when the instance breaks off.
    response.once('close', () => {
      if (!response.complete) this.#broken('instance')
    })
    response.pipe(this.#client)
  }

  #join(response: IncomingMessage, socket: Socket, rest: Buffer): void {
    const client = this.#client
    client.off('end', this.#hungUp)
    const held = this.#attempts.upgraded(socket)
    const { webSocketIdleMs } = this.#with.timeouts
    socket.setTimeout(webSocketIdleMs ?? 0, () => socket.destroy())
    client.write(
      headOf(response, `connection: upgrade\r\nupgrade: ${response.headers.upgrade ?? ''}\r\n`),
      'latin1',
    )
    if (rest.length > 0) client.write(rest)
    if (this.#head.length > 0) socket.write(this.#head)
    // A WebSocket has no half: who has ended says nothing more, and waits for no more than the farewell of the other.
    let farewell: Disposable | null = null
    const ended = () => (farewell ??= this.#with.clock.after(farewellMs, () => socket.destroy()))
    client.once('end', ended)
    socket.once('end', ended)
    socket.on('error', () => client.destroy())
    socket.on('close', () => {
      farewell?.[Symbol.dispose]()
      held[Symbol.dispose]()
      client.destroy()
    })
    client.on('close', () => socket.destroy())
    socket.pipe(client)
    client.pipe(socket)
  }

  readonly #hungUp = (): void => {
    this.#client.destroy()
  }

  #broken(by: CutBy): void {
    this.#attempts.end(outcomeOfCut(this.#refusal, by))
    this.#client.destroy()
  }
}

const notPassed = /^(connection|upgrade|keep-alive|transfer-encoding|proxy-.*|trailer)$/i

function headOf(response: IncomingMessage, own: string): string {
  const { rawHeaders, statusCode, statusMessage } = response
  let text = `HTTP/1.1 ${statusCode} ${statusMessage ?? ''}\r\n${own}`
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (!notPassed.test(rawHeaders[i] as string)) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return `${text}\r\n`
}
