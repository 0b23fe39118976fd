import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Attempt, BinLog, Outcome, ReleaseCounts } from '../counts/index.ts'
import type { AttemptEnd } from '../guards/breaker.ts'
import type { Gate } from '../guards/gate.ts'
import type { Limits } from '../limits.ts'
import type { Fleet } from '../supervisor/fleet.ts'
import { InstanceStopped, type Instance } from '../supervisor/instance.ts'
import { answerHeaders, answerTrailers, requestHeaders, takesTrailers } from './headers.ts'
import type { Origin } from './origin.ts'
import { refuse } from './refuse.ts'
import { hasBody, type Destination } from './request-check.ts'
import type { RequestRouter } from './router.ts'

/** What the requests of one service are forwarded with. */
export interface Forwarding {
  router: RequestRouter
  gate: Gate
  fleet: Fleet
  bins: BinLog
  limits: Limits
  /** Whether an address is a proxy's that is believed about where a request came from. */
  trusts: (address: string) => boolean
}

const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * One request on its way: to an instance, again to another one when the first could not be reached, and its answer
 * back. Both bodies stream, and whoever is slow slows the other side. Each attempt is counted.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #with: Forwarding
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #origin: Origin
  readonly #to: Destination
  readonly #cookie: string | null
  #headers: string[] | null = null
  #instance: Instance
  #counts: ReleaseCounts
  #attempt: Attempt
  #era = 0
  #attempts = 0
  #tried: Set<Instance> | null = null
  #controller: Dispatcher.DispatchController | null = null
  #isUnderWay = false
  #isPaused = false
  #status = 0
  #passesTrailers = false

  constructor(
    forwarding: Forwarding,
    request: IncomingMessage,
    response: ServerResponse,
    to: Destination,
    origin: Origin,
    instance: Instance,
    cookie: string | null,
  ) {
    this.#with = forwarding
    this.#request = request
    this.#response = response
    this.#to = to
    this.#origin = origin
    this.#instance = instance
    this.#cookie = cookie
    this.#counts = forwarding.bins.of(instance.releaseId)
    this.#attempt = this.#begin()
    response.on('close', () => this.#clientGone())
    response.on('drain', () => {
      this.#isPaused = false
      this.#controller?.resume()
    })
  }

  /** Sends it; everything after happens by itself. */
  send(): void {
    this.#headers ??= requestHeaders(this.#request, this.#origin, this.#to.host)
    try {
      this.#instance.pool.dispatch(
        {
          path: this.#to.path,
          method: this.#request.method as Dispatcher.HttpMethod,
          headers: this.#headers,
          // Iterables are taken, too, though the type does not say so.
          body: (hasBody(this.#request) ? this.#body() : null) as Readable | null,
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
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    text?: string,
  ): void {
    // Interim answers are between the instance and us.
    if (status < 200) return
    const out = answerHeaders(headers)
    if (this.#cookie !== null) out['set-cookie'] = [this.#cookie, ...[out['set-cookie'] ?? []].flat()]
    // There is none, whatever the instance says of its length (RFC 9110 §8.6).
    if (status === 204) delete out['content-length']
    this.#status = status
    const { method, httpVersionMinor } = this.#request
    const hasContent = method !== 'HEAD' && status !== 204 && status !== 304
    // Only behind a body in pieces there can be more.
    const isInPieces = hasContent && httpVersionMinor > 0 && out['content-length'] === undefined
    this.#passesTrailers = isInPieces && takesTrailers(this.#request)
    if (this.#passesTrailers && headers['trailer'] !== undefined) out['trailer'] = headers['trailer']
    this.#response.writeHead(status, text !== undefined && isReason.test(text) ? text : '', out)
    // Streams whose first piece comes late are begun at once.
    if (out['content-length'] === undefined) this.#response.flushHeaders()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk) && !this.#isPaused) {
      this.#isPaused = true
      controller.pause()
    }
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#passesTrailers) this.#response.addTrailers(answerTrailers(trailers))
    this.#end(this.#status >= 500 ? 'failed' : 'answered')
    this.#response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, failure: Error): void {
    const code = (failure as NodeJS.ErrnoException).code ?? ''
    const isLate = code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT'
    // The client has given up or asks too much, or we have no more: nobody knows what the answer would have been.
    const isOfOthers = failure instanceof BrokenOff || failure instanceof TooLarge || isOurLack(code)
    if (this.#response.destroyed || isOfOthers) this.#end('answered', 'abandoned')
    else this.#end(isLate || isConnectTimeout(code) ? 'timed_out' : 'failed')
    if (this.#response.headersSent || failure instanceof BrokenOff) {
      // Half of an answer cannot be taken back: cut off, it is at least seen to be incomplete.
      this.#response.destroy()
      return
    }
    if (this.#response.destroyed || this.#retry(failure, code)) return
    if (failure instanceof TooLarge) this.#giveUp(413, failure.message)
    else if (isOurLack(code)) this.#giveUp(503, 'There is no connection left to reach the service by.')
    else if (isLate) this.#giveUp(504, 'The service did not answer in time.')
    else if (failure instanceof InstanceStopped) this.#giveUp(504, failure.message)
    else this.#giveUp(502, 'The service could not be reached, or broke off.')
  }

  #begin(): Attempt {
    this.#attempts += 1
    this.#controller = null
    this.#isUnderWay = true
    this.#instance.begin()
    this.#era = this.#with.gate.begin(this.#instance.releaseId)
    return this.#counts.begin()
  }

  #end(outcome: Outcome, how: AttemptEnd = outcome === 'answered' ? 'succeeded' : 'failed'): void {
    if (!this.#isUnderWay) return
    this.#isUnderWay = false
    this.#counts.end(this.#attempt, outcome)
    this.#with.gate.end(this.#instance.releaseId, this.#era, how)
    if (how !== 'abandoned') this.#with.fleet.record5xx(this.#instance, how === 'failed')
    this.#instance.end()
  }

  /** Another instance for a request that cannot have been acted on, or may be acted on twice. */
  #retry(failure: Error, code: string): boolean {
    const { limits, router, bins } = this.#with
    const isUnsent = isConnectFailure(code) && this.#controller === null
    const isRepeatable = !hasBody(this.#request) && idempotent.has(this.#request.method ?? '')
    if (this.#attempts >= limits.maxAttempts) return false
    if (!isUnsent && !(isRepeatable && isStaleConnection(failure, code))) return false
    const before = this.#instance
    this.#tried ??= new Set()
    this.#tried.add(before)
    // A connection that was closed while idle says nothing against its instance.
    const next = router.reroute(before, this.#origin.client, this.#tried, !isUnsent)
    if (!next) return false
    this.#instance = next
    this.#counts = bins.of(next.releaseId)
    this.#attempt = this.#begin()
    this.send()
    return true
  }

  #giveUp(status: number, text: string): void {
    refuse(this.#request, this.#response, {
      status,
      text,
      ...(status === 503 ? { retryAfterSeconds: 1 } : {}),
    })
  }

  #clientGone(): void {
    if (this.#response.writableFinished) return
    this.#controller?.abort(new Error('the client has gone'))
    this.#end('answered', 'abandoned')
  }

  /** Read from the client only once an instance takes it: what no instance has seen can go to another one, whole. */
  async *#body(): AsyncGenerator<Buffer> {
    const waits = this.#request.headers.expect !== undefined
    if (waits && !this.#response.headersSent) this.#response.writeContinue()
    let left = this.#with.limits.maxBodyBytes
    try {
      for await (const chunk of this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        left -= chunk.length
        if (left < 0) throw new TooLarge('The body is larger than is allowed.')
        yield chunk
      }
    } catch (failure) {
      throw failure instanceof TooLarge ? failure : new BrokenOff()
    } finally {
      // What is left of a body that was answered early: unread it would keep the next request from being seen.
      this.#request.resume()
    }
  }
}

class TooLarge extends Error {}

/** The client did not send its body to the end. */
class BrokenOff extends Error {}

/** What came in another encoding than expected holds characters that no header may. */
const isReason = /^[\t\x20-\x7e\x80-\xff]*$/

/** Of open files, ports or memory of this machine: it says nothing of the instance. */
const isOurLack = (code: string): boolean =>
  ['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM'].includes(code)

const isConnectTimeout = (code: string): boolean => code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT'

/** No connection was had for the request, or none was waited for any more, as the process has ended. */
const isConnectFailure = (code: string): boolean =>
  isConnectTimeout(code) || ['ECONNREFUSED', 'EHOSTUNREACH', 'UND_ERR_DESTROYED'].includes(code)

/**
 * The connection had served others before and was closed without a byte of this answer: the instance most likely
 * closed it while it was idle. RFC 9112 §9.3.1 allows to repeat what is idempotent.
 */
function isStaleConnection(failure: Error, code: string): boolean {
  const { socket } = failure as { socket?: { bytesRead?: number } | null }
  return (
    (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') && (socket?.bytesRead ?? 0) > 0
  )
}
