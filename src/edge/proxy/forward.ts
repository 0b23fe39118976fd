import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { GuardRefusal } from '../guards/index.ts'
import { clientPath, InstanceStopped, type Instance } from '../supervisor/index.ts'
import { Attempts, codeOf, NoResponse, type Forwarding, type Sender } from './attempts.ts'
import { begun, outcomeOfCut, outcomeOfWhole, type Begun, type CutBy } from './cut-response.ts'
import { answerHead, answerTrailers, requestHeaders, takesTrailers } from './headers.ts'
import type { RequestOrigin } from './origin.ts'
import { refuse } from './refuse.ts'
import { hasBody, type Destination } from './request-check.ts'

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * One request on its way: to an instance, again to another one when the first could not be reached, and its response
 * back. Both bodies stream, and whoever is slow slows the other side. A request is counted as one failure at most.
 */
export class Exchange implements Dispatcher.DispatchHandler, Sender {
  readonly #with: Forwarding
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #origin: RequestOrigin
  readonly #to: Destination
  readonly #cookie: string | null
  readonly #attempts: Attempts
  #headers: string[] | null = null
  #controller: Dispatcher.DispatchController | null = null
  #isPaused = false
  /** The response whose head the client has got. */
  #begun: Begun | null = null
  #passesTrailers = false
  /** The body as it comes from the client; null until an instance takes it. */
  #pieces: AsyncIterator<Buffer> | null = null
  /** What it begins with. Kept until it is written, so that another attempt can begin with it. */
  #first: Promise<IteratorResult<Buffer>> | null = null
  #isBodyBegun = false
  /** Attempts that have failed. */
  #failed = 0

  constructor(
    forwarding: Forwarding,
    request: IncomingMessage,
    response: ServerResponse,
    to: Destination,
    origin: RequestOrigin,
    instance: Instance,
    cookie: string | null,
  ) {
    this.#with = forwarding
    this.#request = request
    this.#response = response
    this.#to = to
    this.#origin = origin
    this.#cookie = cookie
    this.#attempts = new Attempts(forwarding, origin.client, instance, this)
    response.on('close', () => this.#disconnected())
    response.on('drain', () => {
      this.#isPaused = false
      this.#attempts.isBlocked = false
      this.#controller?.resume()
    })
  }

  /** Sends it as soon as the instance has a slot; everything after happens by itself. */
  start(): void {
    this.#attempts.start()
  }

  send(): void {
    this.#headers ??= requestHeaders(this.#request, this.#origin, this.#to.host)
    const { responseMs, idleMs } = this.#with.timeouts
    try {
      this.#attempts.instance.pool.dispatch(
        {
          path: clientPath(this.#to.path),
          method: this.#request.method as Dispatcher.HttpMethod,
          headers: this.#headers,
          // Iterables are taken, too, though the type does not say so.
          body: (hasBody(this.#request) ? this.#body(this.#failed) : null) as Readable | null,
          headersTimeout: responseMs,
          bodyTimeout: idleMs ?? 0,
        },
        this,
      )
    } catch (failure) {
      this.onResponseError(null, failure as Error)
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#response.destroyed) controller.abort(new Error('the client has gone'))
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    text?: string,
  ): void {
    if (status < 200) {
      // Interim responses are between the instance and us. They do not give it more time.
      this.#attempts.limitResponse(() => controller.abort(new NoResponse()))
      return
    }
    // There is no length, whatever the instance says of it (RFC 9110 §8.6).
    const raw = controller.rawHeaders as Buffer[]
    const { fields, hasLength } = answerHead(raw, headers['connection'], status === 204)
    if (this.#cookie !== null) fields.push('set-cookie', this.#cookie)
    this.#begun = begun(status, hasLength, headers['content-type'])
    this.#attempts.responded(this.#begun.isEventStream)
    const { method, httpVersionMinor } = this.#request
    const hasContent = method !== 'HEAD' && status !== 204 && status !== 304
    // Only behind a body in pieces there can be more.
    this.#passesTrailers = hasContent && httpVersionMinor > 0 && !hasLength && takesTrailers(this.#request)
    if (this.#passesTrailers && headers['trailer'] !== undefined)
      for (const names of [headers['trailer']].flat()) fields.push('trailer', names)
    this.#response.writeHead(status, text !== undefined && isReason.test(text) ? text : '', fields)
    // Streams whose first piece comes late are begun at once. `flushHeaders` would encode the head as UTF-8.
    if (!hasLength && hasContent) this.#response.write('', 'latin1')
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#begun) this.#begun.hasBytes = true
    this.#attempts.moved()
    if (!this.#response.write(chunk) && !this.#isPaused) {
      this.#isPaused = true
      this.#attempts.isBlocked = true
      controller.pause()
    }
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#passesTrailers) this.#response.addTrailers(answerTrailers(trailers))
    if (this.#begun) this.#attempts.end(outcomeOfWhole(this.#begun))
    this.#response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, failure: Error): void {
    if (this.#begun) {
      this.#attempts.end(outcomeOfCut(this.#begun, cutBy(failure)))
      // Half of a response cannot be taken back: cut off, it is at least seen to be incomplete.
      this.#response.destroy()
    } else if (this.#response.destroyed || failure instanceof BrokenOff) {
      this.#attempts.disconnected(this.#request.socket, null)
      this.#response.destroy()
    } else if (failure instanceof TooLarge) {
      this.#attempts.end('unmeasured', 'abandoned')
      this.giveUp({ status: 413, text: failure.message })
    } else {
      this.#failed += 1
      // An instance may act on a header alone, so that the method decides; a body that has begun is gone.
      const isIdempotent = idempotent.has(this.#request.method ?? '') && !this.#isBodyBegun
      const isUnsent = this.#controller === null
      this.#controller = null
      this.#attempts.failed(failure, { isUnsent, isIdempotent })
    }
  }

  giveUp(refusal: GuardRefusal): void {
    refuse(this.#request, this.#response, refusal)
    // An attempt that has failed no longer reads a body that it was waiting for.
    void this.#first?.then(() => this.#dropBody(), ignore)
  }

  #disconnected(): void {
    if (this.#response.writableFinished) return
    this.#attempts.disconnected(this.#request.socket, this.#begun)
    this.#controller?.abort(new Error('the client has gone'))
  }

  /**
   * Read from the client only once an instance takes it. What no instance has seen can go to another one, whole: an
   * attempt that fails before the first piece leaves that to the next.
   */
  async *#body(attempt: number): AsyncGenerator<Buffer> {
    const pieces = (this.#pieces ??= this.#askForBody())
    this.#first ??= pieces.next()
    try {
      let piece = await this.#first
      if (attempt !== this.#failed) return
      this.#isBodyBegun = true
      let left = this.#with.limits.maxBodyBytes
      for (; !piece.done; piece = await pieces.next()) {
        left -= piece.value.length
        if (left < 0) throw new TooLarge('The body is larger than the service allows.')
        yield piece.value
      }
    } catch (failure) {
      throw failure instanceof TooLarge ? failure : new BrokenOff()
    } finally {
      if (this.#isBodyBegun) this.#dropBody()
    }
  }

  #askForBody(): AsyncIterator<Buffer> {
    const { headers, httpVersionMinor } = this.#request
    // A client of version 1.0 knows no interim response (RFC 9110 §10.1.1).
    const waits = headers.expect !== undefined && httpVersionMinor > 0
    if (waits && !this.#response.headersSent) this.#response.writeContinue()
    const pieces = this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
    return pieces[Symbol.asyncIterator]()
  }

  /** What is left of a body that was answered early: unread it would keep the next request from being seen. */
  #dropBody(): void {
    void this.#pieces?.return?.().then(() => this.#request.resume(), ignore)
  }
}

const ignore = (): void => undefined

class TooLarge extends Error {}

/** The client did not send its body to the end. */
class BrokenOff extends Error {}

/** What came in another encoding than expected holds characters that no header may. */
const isReason = /^[\t\x20-\x7e\x80-\xff]*$/

/** Who ended a response that had begun. */
function cutBy(failure: Error): CutBy {
  // Its body is the client's doing, too large or not whole, though the instance had answered it early.
  if (failure instanceof BrokenOff || failure instanceof TooLarge) return 'client'
  return codeOf(failure) === 'UND_ERR_BODY_TIMEOUT' || failure instanceof InstanceStopped
    ? 'limit'
    : 'instance'
}
