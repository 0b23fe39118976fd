import type { Duplex } from 'node:stream'
import type { Clock } from '../../base/index.ts'
import type { ProxyLimits, Timeouts } from '../../contract/index.ts'
import type { Attempt, BinLog, Outcome, ReleaseCounts } from '../counts/index.ts'
import { isOurLack } from '../machine/index.ts'
import type { AttemptEnd, Gate, GuardRefusal } from '../guards/index.ts'
import { type InstanceSet, InstanceStopped, type Instance } from '../supervisor/index.ts'
import { closedBy, outcomeOfCut, type Begun } from './cut-response.ts'
import type { RequestRouter } from './router.ts'

/** What the requests of one service are forwarded with. */
export interface Forwarding {
  router: RequestRouter
  gate: Gate
  instanceSet: InstanceSet
  bins: BinLog
  /** As they are now: they change while requests are in progress. */
  readonly limits: ProxyLimits
  readonly timeouts: Timeouts
  clock: Clock
  /** Whether an address is a proxy's that is believed about where a request came from. */
  trusts: (address: string) => boolean
}

/** Sends one request, as often as it is attempted. */
export interface Sender {
  /** The instance of the attempt has a slot for it. */
  send(): void
  /** The client gets this instead of a response. */
  giveUp(refusal: GuardRefusal): void
}

/** What is known of a request whose attempt has failed. */
export interface Repeatable {
  /** No byte of it can have reached the instance. */
  isUnsent: boolean
  /** The instance may get it twice. */
  isIdempotent: boolean
}

/**
 * The attempts of one request, one after the other: each waits for a slot of its instance, is counted once, and tells the breaker,
 * the ejection and the drain of the instance. Requests and WebSocket handshakes alike are sent by it.
 */
export class Attempts {
  readonly #with: Forwarding
  /** The address that the request is for. */
  readonly #client: string
  readonly #sender: Sender
  #instance: Instance
  #counts: ReleaseCounts
  #attempt: Attempt
  #era = 0
  #begun = 0
  #tried: Set<Instance> | null = null
  #isUnderWay = false
  /** For a slot at the instance, then for the head of the response. */
  #timer: Disposable | null = null

  constructor(forwarding: Forwarding, client: string, instance: Instance, sender: Sender) {
    this.#with = forwarding
    this.#client = client
    this.#sender = sender
    this.#instance = instance
    this.#counts = forwarding.bins.of(instance.releaseId)
    this.#attempt = this.#begin()
  }

  /** Where the request goes. */
  get instance(): Instance {
    return this.#instance
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay
  }

  /** Has it sent as soon as the instance has a slot. */
  start(): void {
    const { limits, timeouts, clock } = this.#with
    if (this.#instance.slots.enter(limits, this.#go)) this.#sender.send()
    else this.#timer = clock.after(timeouts.queueMs, () => this.#waitedTooLong())
  }

  /** Runs `late` once the time for a response is over, unless its head has come or the attempt has ended by then. */
  limitResponse(late: () => void): void {
    const { clock, timeouts } = this.#with
    const leftMs = this.#attempt.startedMs + timeouts.responseMs - clock.monotonicMs()
    this.#timer ??= clock.after(Math.max(0, leftMs), late)
  }

  /** The head of the response has come. That of an event stream is a beginning of it: it may stay quiet for long. */
  responded(isEventStream: boolean): void {
    this.#dropTimer()
    if (isEventStream) this.moved()
  }

  /** A piece of the body has come. */
  moved(): void {
    this.#counts.moved(this.#attempt)
  }

  /** Whether the client takes no more for now. */
  set isBlocked(isBlocked: boolean) {
    this.#attempt.isBlocked = isBlocked
  }

  /** Once an attempt; another end is none. */
  end(outcome: Outcome, how: AttemptEnd = saysOf[outcome]): void {
    if (!this.#isUnderWay) return
    this.#count(outcome, how)
    this.#instance.slots.leave(this.#go)
    this.#instance.end()
  }

  /** Its client is no longer connected. What the edge cut off itself says nothing about the instance. */
  disconnected(client: Duplex, response: Begun | null): void {
    const by = closedBy(client)
    this.end(outcomeOfCut(response, by), by === 'limit' ? 'abandoned' : undefined)
  }

  /** A handshake has been answered. Its connection keeps the slot, and the instance from stopping, until this is disposed. */
  upgraded(connection: { destroy(): unknown }): Disposable {
    const { slots } = this.#instance
    const held = this.#instance.hold(connection)
    this.#count('answered', 'succeeded')
    this.#instance.end()
    return {
      [Symbol.dispose]: () => {
        held[Symbol.dispose]()
        slots.leave(this.#go)
      },
    }
  }

  /** There was no response: another instance is tried where that is allowed, or the client is told. */
  failed(failure: Error, { isUnsent, isIdempotent }: Repeatable): void {
    const code = codeOf(failure)
    if (isOurLack(code)) {
      this.end('uncounted')
      this.#sender.giveUp(noConnectionLeft)
      return
    }
    const wasNeverSent = isUnsent && isConnectFailure(code)
    const isCutOff = failure instanceof InstanceStopped || isStaleConnection(failure, code)
    if (wasNeverSent || (isIdempotent && isCutOff)) if (this.#retry(wasNeverSent)) return
    const isLate = failure instanceof NoResponse || code === 'UND_ERR_HEADERS_TIMEOUT'
    this.end(isLate || isConnectTimeout(code) ? 'timed_out' : 'failed')
    if (isLate) this.#sender.giveUp(tooLate)
    else if (failure instanceof InstanceStopped) this.#sender.giveUp({ status: 504, text: failure.message })
    else this.#sender.giveUp(unreachable)
  }

  readonly #go = (): void => {
    this.#dropTimer()
    if (this.#isUnderWay) this.#sender.send()
  }

  #begin(): Attempt {
    this.#begun += 1
    this.#isUnderWay = true
    this.#instance.begin()
    this.#era = this.#with.gate.begin(this.#instance.releaseId)
    return this.#counts.begin()
  }

  #count(outcome: Outcome, how: AttemptEnd): void {
    this.#isUnderWay = false
    this.#dropTimer()
    this.#counts.end(this.#attempt, outcome)
    this.#with.gate.end(this.#instance.releaseId, this.#era, how)
    if (how !== 'abandoned') this.#with.instanceSet.record5xx(this.#instance, how === 'failed')
  }

  /** Another instance for a request that cannot have been acted on, or may be acted on twice. */
  #retry(isUnsent: boolean): boolean {
    const { limits, router, bins } = this.#with
    if (this.#begun >= limits.maxAttempts) return false
    const before = this.#instance
    this.#tried ??= new Set()
    this.#tried.add(before)
    const next = router.reroute(before, this.#client, this.#tried, !isUnsent, this.#begun === 1)
    if (!next) return false
    // Its release is told of the failure only where another one answers for it: one request is one failure at most.
    const outcome = next.releaseId === before.releaseId ? 'uncounted' : 'diverted'
    this.end(outcome, isUnsent ? 'failed' : 'abandoned')
    this.#instance = next
    this.#counts = bins.of(next.releaseId)
    this.#attempt = this.#begin()
    this.start()
    return true
  }

  #waitedTooLong(): void {
    this.end('unserved')
    this.#sender.giveUp(noSlot)
  }

  #dropTimer(): void {
    if (this.#timer === null) return
    this.#timer[Symbol.dispose]()
    this.#timer = null
  }
}

/** The time for the head of a response is over. */
export class NoResponse extends Error {}

const noConnectionLeft: GuardRefusal = {
  status: 503,
  text: 'The proxy has no connection left to reach the service.',
  retryAfterSeconds: 1,
}
const noSlot: GuardRefusal = {
  status: 503,
  text: 'All connections to the service are in use.',
  retryAfterSeconds: 1,
}
const tooLate: GuardRefusal = { status: 504, text: 'The service did not respond in time.' }
const unreachable: GuardRefusal = {
  status: 502,
  text: 'The service could not be reached, or closed the connection.',
}

/** What the end of an attempt says about the release and the instance to the breaker and to ejection. */
const saysOf: Readonly<Record<Outcome, AttemptEnd>> = {
  answered: 'succeeded',
  unmeasured: 'succeeded',
  failed: 'failed',
  timed_out: 'failed',
  diverted: 'failed',
  abandoned: 'abandoned',
  unserved: 'abandoned',
  uncounted: 'abandoned',
}

/** Of a failure of the system or of undici; empty where it has none. */
export const codeOf = (failure: Error): string => (failure as NodeJS.ErrnoException).code ?? ''

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
