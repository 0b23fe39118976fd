import type { Server, Socket } from 'node:net'
import { backoffMs, messageOf } from '../../base/index.ts'
import type { Guards, EdgeDefinition } from '../../contract/index.ts'
import type { Surroundings } from '../machine/index.ts'
import { BinLog } from '../counts/index.ts'
import { AddressList, Gate } from '../guards/index.ts'
import { Listener, RequestRouter } from '../proxy/index.ts'
import type { StoredService } from '../state/index.ts'
import {
  InstanceSet,
  type Orphans,
  type PortBook,
  type PortOwners,
  type ProcessTable,
} from '../supervisor/index.ts'
import { Traffic } from '../balancing/index.ts'

export interface ServiceOptions extends Surroundings {
  /** The real path of the edge's directory. */
  edgeDirectory: string
  orphans: Orphans
  logDirectory: string
  workDirectory: string
  /** Of the instances of all services. */
  ports: PortBook
  processes: ProcessTable
  portOwners: PortOwners
  environment: Readonly<Record<string, string | undefined>>
  bootId: string
  /** A listening socket that an edge before this one, which was killed, has left with this process; else null. */
  keptPort: number | null
  persist: () => Promise<unknown>
  acting: () => Promise<void>
  /** Tells an edge before this one to cut what it has in progress at an instance. */
  cutElsewhere: (instanceId: string) => void
}

/** How long requests may take to end when a listener closes. */
const closeWithinMs = 5000
/** Between tries to listen on an address that cannot be had; it doubles. */
const listenBackoff = { firstMs: 500, longestMs: 5000 }

/** One service on the edge: its instances, the split of its traffic, its port. */
export class Service {
  readonly instanceSet: InstanceSet
  readonly traffic: Traffic
  readonly bins: BinLog
  readonly gate: Gate
  readonly #router: RequestRouter
  readonly #options: ServiceOptions
  readonly #seconds: Disposable
  #definition: EdgeDefinition
  #trusted: AddressList
  #listener: Listener | null = null
  #port: number
  #retry: Disposable | null = null
  #listenFailures = 0
  #listenTrouble = ''
  #isLeaving: boolean
  #keptPort: number | null

  constructor(options: ServiceOptions, record: StoredService) {
    const { clock, rng } = options
    this.#options = options
    this.#keptPort = options.keptPort
    this.#definition = record.definition
    this.#trusted = new AddressList(record.definition.listen.trustedProxies)
    this.#port = record.port
    this.#isLeaving = record.isLeaving
    this.bins = new BinLog(clock, options.bootId)
    this.instanceSet = new InstanceSet({
      ...options,
      definition: () => this.#definition,
      onInstanceFailure: (releaseId, failure) => this.bins.of(releaseId).instanceFailed(failure),
    })
    this.gate = new Gate(clock, rng, record.guards)
    this.#router = new RequestRouter(this.instanceSet, this.gate, rng, record.definition.routing)
    this.traffic = new Traffic(
      record.traffic,
      (releaseId) => this.instanceSet.usable(releaseId).length > 0,
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

  get record(): StoredService {
    return {
      isLeaving: this.#isLeaving,
      definition: this.#definition,
      port: this.#port,
      traffic: this.traffic.record,
      guards: this.gate.guards,
      ...this.instanceSet.record,
    }
  }

  /** Why it does not listen; empty while it does. */
  get listenTrouble(): string {
    return this.#listener ? '' : this.#listenTrouble
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
    const definition = () => this.#definition
    return new Listener({
      router: this.#router,
      gate: this.gate,
      instanceSet: this.instanceSet,
      bins: this.bins,
      get limits() {
        return definition().limits
      },
      get timeouts() {
        return definition().timeouts
      },
      clock: this.#options.clock,
      trusts: (address) => this.#trusted.has(address),
    })
  }

  /** Throws CONFLICT or BAD_INPUT when the address cannot be had. */
  async listen(): Promise<void> {
    if (await this.#listenOnKept()) return
    const listener = this.#newListener()
    await listener.listen(this.#definition.listen.host, this.#port)
    this.#port = listener.port
    this.#listener = listener
    this.#listenFailures = 0
    this.#listenTrouble = ''
  }

  async #listenOnKept(): Promise<boolean> {
    const descriptor = this.#keptPort
    if (descriptor === null) return false
    this.#keptPort = null
    const listener = this.#newListener()
    if (!(await listener.listenOn(descriptor, this.#port))) return false
    this.#port = listener.port
    this.#listener = listener
    return true
  }

  /** Listens as soon as the address can be had: it may be held by someone else when the edge starts. */
  async listenEventually(): Promise<void> {
    try {
      await this.listen()
    } catch (failure) {
      const { log, clock, rng } = this.#options
      this.#listenFailures += 1
      this.#listenTrouble = messageOf(failure)
      if (this.#listenFailures === 1)
        log.error('a service cannot listen yet', {
          service: this.#definition.name,
          failure: messageOf(failure),
        })
      const delayMs = backoffMs(this.#listenFailures, listenBackoff, rng.next())
      this.#retry = clock.after(delayMs, () => void this.listenEventually())
    }
  }

  /**
   * A changed address is listened on before the old one is given up. Throws as `listen`, and changes nothing then; where
   * there is no old one, it goes on trying with the new one.
   */
  async redefine(definition: EdgeDefinition): Promise<void> {
    const before = { definition: this.#definition, port: this.#port, listener: this.#listener }
    const { host, port } = definition.listen
    const isMoved =
      host !== before.definition.listen.host ||
      (port !== before.definition.listen.port && port !== before.port)
    this.#definition = definition
    if (isMoved) this.#port = port
    if (!before.listener) {
      this.#retry?.[Symbol.dispose]()
      this.#listenFailures = 0
      await this.listenEventually()
    } else if (isMoved) {
      try {
        await this.listen()
      } catch (failure) {
        this.#definition = before.definition
        this.#port = before.port
        throw failure
      }
      void before.listener.close(closeWithinMs)
    }
    this.#router.setRouting(definition.routing)
    this.#listener?.applyLimits()
    this.#trusted = new AddressList(definition.listen.trustedProxies)
  }

  setGuards(guards: Guards): void {
    this.gate.set(guards)
  }

  /** From now on it is on its way out; `close` with instances is what follows. */
  leave(): void {
    this.#isLeaving = true
  }

  /** How long requests may take to end when its port closes for good, ms. */
  get drainMs(): number {
    return Math.max(closeWithinMs, this.#definition.drainMs)
  }

  /** Ends the port and the counting; instances go on, or stop first. */
  async close(withInstances: boolean): Promise<void> {
    this.#seconds[Symbol.dispose]()
    this.#retry?.[Symbol.dispose]()
    await this.#listener?.close(withInstances ? this.drainMs : closeWithinMs)
    if (withInstances) await this.instanceSet.stopAll()
    this.instanceSet.close()
  }
}
