import type { Server, Socket } from 'node:net'
import type { Guards, ServiceDefinition } from '../contract/index.ts'
import type { Surroundings } from './clock.ts'
import { BinLog } from './counts/index.ts'
import { AddressList } from './guards/address-list.ts'
import { Gate } from './guards/gate.ts'
import { messageOf } from './failure.ts'
import type { Limits } from './limits.ts'
import { Listener } from './proxy/listener.ts'
import { RequestRouter } from './proxy/router.ts'
import type { ServiceRecord } from './state/state.ts'
import { Fleet } from './supervisor/fleet.ts'
import type { PortBook } from './supervisor/port-book.ts'
import { Traffic } from './traffic.ts'

export interface ServiceOptions extends Surroundings {
  limits: Limits
  logDirectory: string
  /** Of the instances of all services. */
  ports: PortBook
  environment: Readonly<Record<string, string | undefined>>
  bootId: string
  persist: () => Promise<void>
  acting: () => Promise<void>
}

/** How long requests may take to end when a listener closes. */
const closeWithinMs = 5000
/** Between tries to listen on an address that is taken. */
const listenAgainMs = 1000

/** One service on the edge: its instances, the split of its traffic, its port. */
export class Service {
  readonly fleet: Fleet
  readonly traffic: Traffic
  readonly bins: BinLog
  readonly gate: Gate
  readonly #router: RequestRouter
  readonly #options: ServiceOptions
  readonly #seconds: Disposable
  #definition: ServiceDefinition
  #trusted: AddressList
  #listener: Listener | null = null
  #port: number
  #retry: Disposable | null = null
  #isLeaving: boolean

  constructor(options: ServiceOptions, record: ServiceRecord) {
    const { clock, rng } = options
    this.#options = options
    this.#definition = record.definition
    this.#trusted = new AddressList(record.definition.listen.trustedProxies)
    this.#port = record.port
    this.#isLeaving = record.isLeaving
    this.bins = new BinLog(clock, options.bootId)
    this.fleet = new Fleet({ ...options, definition: () => this.#definition })
    this.gate = new Gate(clock, rng, record.guards)
    this.#router = new RequestRouter(this.fleet, this.gate, rng, record.definition.routing)
    this.traffic = new Traffic(
      record.traffic,
      (releaseId) => this.fleet.usable(releaseId).length > 0,
      (weights) => this.#router.setWeights(weights),
    )
    this.#router.follow(this.traffic)
    this.#seconds = clock.every(1000, () => this.bins.close(Object.keys(this.traffic.record.weights)))
  }

  get address(): string {
    const { host } = this.#definition.listen
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#port}`
  }

  get isLeaving(): boolean {
    return this.#isLeaving
  }

  get record(): ServiceRecord {
    return {
      isLeaving: this.#isLeaving,
      definition: this.#definition,
      port: this.#port,
      traffic: this.traffic.record,
      guards: this.gate.guards,
      ...this.fleet.record,
    }
  }

  /** Null while the address cannot be had. */
  get listener(): Listener | null {
    return this.#listener
  }

  /** Listens on the port of an edge before this one, which listens, too, until it closes it. */
  takePort(port: Server): void {
    const listener = this.#newListener()
    listener.take(port)
    this.#listener = listener
  }

  /** A client of an edge before this one, between two requests. */
  takeConnection(connection: Socket): void {
    if (this.#listener) this.#listener.takeConnection(connection)
    else connection.destroy()
  }

  /** What it gave away has come back: it listens anew. */
  listenAgain(): Promise<void> {
    this.#listener = null
    return this.listenEventually()
  }

  #newListener(): Listener {
    return new Listener({
      router: this.#router,
      gate: this.gate,
      fleet: this.fleet,
      bins: this.bins,
      limits: this.#options.limits,
      trusts: (address) => this.#trusted.has(address),
    })
  }

  /** Throws CONFLICT or BAD_INPUT when the address cannot be had. */
  async listen(): Promise<void> {
    const listener = this.#newListener()
    await listener.listen(this.#definition.listen.host, this.#port)
    this.#port = listener.port
    this.#listener = listener
  }

  /** Listens as soon as the address can be had: it may be held by somebody else when the edge starts. */
  async listenEventually(): Promise<void> {
    try {
      await this.listen()
    } catch (failure) {
      const { log, clock } = this.#options
      if (!this.#retry) log.error('a service cannot listen yet', { failure: messageOf(failure) })
      this.#retry = clock.after(listenAgainMs, () => void this.listenEventually())
    }
  }

  /** A changed address is listened on before the old one is given up. Throws as `listen`, and changes nothing then. */
  async redefine(definition: ServiceDefinition): Promise<void> {
    const before = { definition: this.#definition, port: this.#port, listener: this.#listener }
    const { host, port } = definition.listen
    const isMoved =
      host !== before.definition.listen.host ||
      (port !== before.definition.listen.port && port !== before.port)
    this.#definition = definition
    if (isMoved || !before.listener) {
      if (isMoved) this.#port = port
      try {
        await this.listen()
      } catch (failure) {
        this.#definition = before.definition
        this.#port = before.port
        throw failure
      }
      this.#retry?.[Symbol.dispose]()
      void before.listener?.close(closeWithinMs)
    }
    this.#router.setRouting(definition.routing)
    this.#trusted = new AddressList(definition.listen.trustedProxies)
  }

  setGuards(guards: Guards): void {
    this.gate.set(guards)
  }

  /** From now on it is on its way out; `close` with instances is what follows. */
  leave(): void {
    this.#isLeaving = true
  }

  /** Longest that a request may take which is under way when another edge takes over, ms. */
  get drainMs(): number {
    return Math.max(closeWithinMs, this.#definition.drainMs)
  }

  /** Ends the port and the counting; instances go on, or stop first. */
  async close(withInstances: boolean): Promise<void> {
    this.#seconds[Symbol.dispose]()
    this.#retry?.[Symbol.dispose]()
    await this.#listener?.close(withInstances ? this.drainMs : closeWithinMs)
    if (withInstances) await this.fleet.stopAll()
    this.fleet.close()
  }
}
