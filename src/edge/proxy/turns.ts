import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { GuardRefusal } from '../guards/index.ts'
import { refuseConnection } from './refuse.ts'
import { hasBody } from './request-check.ts'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** Why Node's parser has stopped. */
export type ParserStop = Error & { code?: string; bytesParsed?: number; rawPacket?: Buffer }

/** Node's parser of a connection, as far as it is used here. */
interface Parser {
  onIncoming: (request: IncomingMessage, shouldKeepAlive: boolean) => number
  resume(): void
}

/** Returned for a header, it makes the parser stop right behind it (llhttp's `HPE_PAUSED`). */
const stopHere = 21

interface Line {
  /** The request that is being served, and since when it is whole, or begun while it is not; null when none is. */
  current: { request: IncomingMessage; response: ServerResponse; sinceMs: number } | null
  /** The request behind it, of which the header has been read; null while none has. */
  next: { request: IncomingMessage; response: ServerResponse } | null
  /** What came behind that header, not yet parsed; null while the parser runs. */
  unparsed: Buffer | null
  /** What is wrong with what came behind the current request; null while nothing is. */
  refusal: GuardRefusal | null
}

/**
 * A client that closes its half within this time of the end of its request has nothing more to send, and waits for the answer. One
 * that does so later has given up: to close a socket looks the same to its other end.
 */
const halfCloseWithinMs = 100

/**
 * Serves one request at a time on each client connection. Of what a client pipelines, only the next header is parsed;
 * the rest waits as bytes, and the connection is not read meanwhile. What follows a response that closes the connection
 * is dropped, and a malformed request is refused only after the requests before it have been answered.
 */
export class Turns {
  readonly #serve: Serve
  readonly #nowMs: () => number
  readonly #lines = new WeakMap<Socket, Line>()
  #isEnding = false

  constructor(serve: Serve, nowMs: () => number) {
    this.#serve = serve
    this.#nowMs = nowMs
  }

  /** Has the parser of a new connection stop where a request has to wait. */
  attach(socket: Socket): void {
    const parser = parserOf(socket)
    if (!parser) return
    const line = this.#lineOf(socket)
    const { onIncoming } = parser
    parser.onIncoming = (request, shouldKeepAlive) => {
      const result = onIncoming(request, shouldKeepAlive)
      return line.next?.request === request ? stopHere : result
    }
  }

  /** Serves a request now, or when the one before it on its connection has been answered. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const line = this.#lineOf(socket)
    if (line.current === null) {
      this.#begin(line, request, response)
      return
    }
    line.next = { request, response }
    hold(socket)
  }

  /** The parser of a connection has stopped: behind a request that waits, or at something malformed or late. */
  stopped(socket: Socket, stop: ParserStop): void {
    const line = this.#lineOf(socket)
    if (stop.code === 'HPE_PAUSED' && line.next) {
      line.unparsed = stop.rawPacket?.subarray(stop.bytesParsed) ?? null
      return
    }
    // Once stopped, it says so of all that comes.
    if (line.refusal) return
    line.refusal = refusalOf(stop.code)
    // Of what is being served nothing is wrong: it is answered first.
    if (line.current?.request.complete) hold(socket)
    else if (line.current?.response.headersSent) socket.destroy()
    else {
      refuseConnection(socket, line.refusal)
      if (line.current) socket.destroySoon()
    }
  }

  /** From now on no request that waits behind another one is served: its connection ends instead. */
  end(): void {
    this.#isEnding = true
  }

  /** Whether a request of this connection is being served. */
  isBusy(socket: Socket): boolean {
    return (this.#lines.get(socket)?.current ?? null) !== null
  }

  #lineOf(socket: Socket): Line {
    const known = this.#lines.get(socket)
    if (known) return known
    const line: Line = { current: null, next: null, unparsed: null, refusal: null }
    this.#lines.set(socket, line)
    socket.on('end', () => {
      if (line.current && this.#hasGivenUp(line.current)) socket.destroy()
    })
    return line
  }

  #hasGivenUp({ request, sinceMs }: NonNullable<Line['current']>): boolean {
    // Its last piece has come, and is not read yet: when that was is not known.
    if (request.complete && hasBody(request) && !request.readableEnded) return false
    return this.#nowMs() - sinceMs > halfCloseWithinMs
  }

  #begin(line: Line, request: IncomingMessage, response: ServerResponse): void {
    const current = { request, response, sinceMs: this.#nowMs() }
    line.current = current
    if (hasBody(request)) request.once('end', () => (current.sinceMs = this.#nowMs()))
    response.once('close', () => this.#next(request.socket, line))
    this.#serve(request, response)
  }

  #next(socket: Socket, line: Line): void {
    const { next, unparsed, refusal } = line
    line.current = null
    if (!next && !refusal) return
    line.next = null
    line.unparsed = null
    // The connection ends with the answer before: nothing that came behind it is acted on.
    if (this.#isEnding) socket.end()
    if (!socket.writable) {
      release(socket)
      return
    }
    if (refusal) {
      release(socket)
      refuseConnection(socket, refusal)
      return
    }
    if (!next) return
    this.#begin(line, next.request, next.response)
    Reflect.deleteProperty(socket, '_paused')
    parserOf(socket)?.resume()
    // Even of nothing it takes that the request is complete.
    socket.emit('data', unparsed ?? Buffer.alloc(0))
    if (!line.next && !line.refusal) release(socket)
  }
}

const parserOf = (socket: Socket): Parser | undefined => (socket as Socket & { parser?: Parser }).parser

/**
 * Stops reading a connection. Node's own mark for that keeps its parts from reading on, but Node takes it off whenever
 * what was written has drained.
 */
function hold(socket: Socket): void {
  socket.pause()
  socket.resume = () => socket
  Object.defineProperty(socket, '_paused', { configurable: true, get: () => true, set: () => undefined })
}

/** Reads it again. */
function release(socket: Socket): void {
  Reflect.deleteProperty(socket, '_paused')
  Reflect.deleteProperty(socket, 'resume')
  socket.resume()
}

/** As Node answers itself. */
function refusalOf(code: string | undefined): GuardRefusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, text: 'The header is too large.' }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, text: 'The chunk extensions are too large.' }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, text: 'The request did not arrive in time.' }
    default:
      return { status: 400, text: 'The request is malformed.' }
  }
}
