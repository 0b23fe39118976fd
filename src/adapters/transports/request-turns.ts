import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** The requests of one connection. */
interface Line {
  isBusy: boolean
  readonly waiting: [IncomingMessage, ServerResponse][]
}

/**
 * Serves one request at a time on each connection: the next one begins when the response before it has been handed to the
 * network. Node itself begins all that arrive together, so that one client could order any number of responses at once. A
 * connection on which more than `mostWaiting` wait is cut off: no client that reads its responses does that.
 */
export class RequestTurns {
  readonly #mostWaiting: number
  readonly #lines = new WeakMap<Socket, Line>()

  constructor(mostWaiting: number) {
    this.#mostWaiting = mostWaiting
  }

  /** What to call for each request that arrives. It calls `serve` in turn, and not for a client that has gone. */
  of(serve: Serve): Serve {
    const begin = (line: Line, request: IncomingMessage, response: ServerResponse) => {
      line.isBusy = true
      response.once('close', () => next(line, request.socket))
      serve(request, response)
    }
    const next = (line: Line, socket: Socket) => {
      // Nothing is acted on that came behind a response that ends the connection.
      if (!socket.writable) line.waiting.length = 0
      const following = line.waiting.shift()
      if (following) begin(line, ...following)
      else line.isBusy = false
    }
    return (request, response) => {
      const { socket } = request
      if (!socket.writable) return
      const line = this.#lineOf(socket)
      if (!line.isBusy) begin(line, request, response)
      else if (line.waiting.push([request, response]) > this.#mostWaiting) {
        line.waiting.length = 0
        socket.destroy()
      }
    }
  }

  /** Whether a request of this connection is being served. */
  isBusy(socket: Socket): boolean {
    return this.#lines.get(socket)?.isBusy ?? false
  }

  #lineOf(socket: Socket): Line {
    const known = this.#lines.get(socket)
    if (known) return known
    const line: Line = { isBusy: false, waiting: [] }
    this.#lines.set(socket, line)
    return line
  }
}
