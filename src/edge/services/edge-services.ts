import { closeSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { AppError, messageOf, SerialQueue } from '../../base/index.ts'
import {
  guardsSchema,
  weightOf,
  weightText,
  type EdgeInput,
  type EdgeOutput,
  type EdgeProcedure,
  type EdgeReport,
  type ErrorCode,
} from '../../contract/index.ts'
import type { Surroundings } from '../machine/index.ts'
import type { Inheritance, Progress } from './inheritance.ts'
import { Service } from './service.ts'
import { readState, StateFile, type StoredService } from '../state/index.ts'
import {
  InstanceLog,
  claimWithinMs,
  findOrphans,
  logsOf,
  Orphans,
  type Orphan,
  PortBook,
  PortOwners,
  ProcessTable,
} from '../supervisor/index.ts'
import { noTraffic } from '../balancing/index.ts'

export interface PlatformOptions extends Surroundings {
  /** Holds the state and the logs. */
  directory: string
  /** Where releases run that have no directory of their own. */
  workDirectory: string
  environment: Readonly<Record<string, string | undefined>>
  version: string
  /** Called when a person or the app asks the edge to stop. */
  onStop: (order: EdgeInput<'stop'>) => void
  /** Hands over to another process; resolves when that one is the edge. */
  onHandover: (program: EdgeInput<'handover'>) => Promise<EdgeOutput<'handover'>>
  /** Tells the edge before this one to cut what it has in progress at an instance, which is about to be stopped. */
  cutElsewhere: (instanceId: string) => void
  /** What cannot be written now other than the state, as sentences. */
  unwritten: () => readonly string[]
  /** Listening sockets that this process was started with, by service: descriptors. */
  keptPorts: ReadonlyMap<string, number>
  /** From the edge that hands over to this one, which `takeOver` makes the one that acts. */
  inheritance: Inheritance | null
}

const lostOnRestart = 'Changes are lost if the edge restarts.'

/** What answers each procedure of the admin socket. */
export type Handlers = {
  [P in EdgeProcedure]: (input: EdgeInput<P>) => Promise<EdgeOutput<P>> | EdgeOutput<P>
}

/** What an order of emergency came to, before it is known whether it can be kept. */
type Moved = { ok: true; value: EdgeReport } | { ok: false; code: ErrorCode; message: string }

/** What an edge finds when it starts. */
interface Found {
  generation: number
  damage: string
  edgeDirectory: string
  orphans: readonly Orphan[]
}

/** What an instance that has gone had printed is kept at least this long over a restart of the edge. */
const oldLogMs = 7 * 86_400_000

/** Between tries to write what the disk did not take. */
const writeAgainMs = 1000

/** All services of one edge, and their state on the disk. */
export class EdgeServices {
  readonly #options: PlatformOptions
  readonly #services = new Map<string, Service>()
  /** Services on their way in: two that declare the same one wait for one another. */
  readonly #declaring = new SerialQueue()
  readonly #file: StateFile
  readonly #ports = new PortBook()
  readonly #processes: ProcessTable
  readonly #portOwners: PortOwners
  readonly #orphans: Orphans
  /** The real path of the directory. */
  readonly #edgeDirectory: string
  /** Listening sockets of services that are not known, or not yet: descriptors. */
  readonly #keptPorts: Map<string, number>
  #closingPorts: Disposable | null = null
  /** What was wrong with the state on the disk; empty when nothing was. */
  readonly #damage: string
  readonly #bootId: string
  readonly #startedAtMs: number
  /** Nothing is written before everything was read: the state would lose what is not yet taken up. */
  #isRestored = false
  /** While another edge acts: this one writes nothing, and starts and stops no process. */
  #frozen: PromiseWithResolvers<void> | null
  /** Why the newest state is not on the disk; empty when it is. */
  #trouble = ''
  #retry: Disposable | null = null

  private constructor(options: PlatformOptions, { generation, damage, edgeDirectory, orphans }: Found) {
    this.#options = options
    this.#damage = damage
    this.#edgeDirectory = edgeDirectory
    this.#keptPorts = new Map(options.keptPorts)
    this.#orphans = new Orphans({ ...options, edgeDirectory, acting: () => this.#acting() }, orphans)
    this.#processes = new ProcessTable(options.clock)
    this.#portOwners = new PortOwners(options.clock, this.#processes)
    this.#bootId = options.inheritance?.bootId ?? options.rng.hex(8)
    this.#frozen = options.inheritance && Promise.withResolvers()
    this.#startedAtMs = options.clock.nowMs()
    this.#file = new StateFile(
      join(options.directory, 'state.json'),
      () => ({ services: [...this.#services.values()].map(({ record }) => record) }),
      generation,
    )
  }

  /** Takes up the state of the directory: services listen and their instances are known when it resolves. */
  static async open(options: PlatformOptions): Promise<EdgeServices> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    await mkdir(options.workDirectory, { recursive: true, mode: 0o700 }).catch((failure: unknown) =>
      options.log.warn('the work directory cannot be created', { failure: messageOf(failure) }),
    )
    await InstanceLog.prepare(logsOf(options.directory)).catch((failure: unknown) =>
      options.log.error('the output of instances cannot be saved', { failure: messageOf(failure) }),
    )
    const { state, trouble: damage, generation } = await readState(join(options.directory, 'state.json'))
    if (damage !== '') options.log.error('the state was damaged', { damage })
    const edgeDirectory = await realpath(options.directory)
    const ids = state.services.flatMap(({ instances }) => instances.map(({ id }) => id))
    const orphans = await findOrphans(edgeDirectory, logsOf(edgeDirectory), new Set(ids))
    const platform = new EdgeServices(options, { generation, damage, edgeDirectory, orphans })
    await Promise.all(state.services.map((record) => platform.#restore(record)))
    platform.#isRestored = true
    if (platform.#keptPorts.size > 0)
      platform.#closingPorts = options.clock.after(claimWithinMs, () => platform.#closeKeptPorts())
    await platform
      .#sweepLogs([...ids, ...orphans.map(({ instanceId }) => instanceId)])
      .catch((failure: unknown) =>
        options.log.warn('old logs could not be deleted', { failure: messageOf(failure) }),
      )
    // A full or read-only disk ends no service: it is tried again until it is written.
    if (!options.inheritance) await platform.#save().catch(() => undefined)
    return platform
  }

  /** Listening sockets that wait for their service to be declared again: descriptors. */
  get unclaimedPorts(): ReadonlyMap<string, number> {
    return this.#keptPorts
  }

  get services(): ReadonlyMap<string, Service> {
    return this.#services
  }

  /** What an edge after this one needs beside the state on the disk. */
  get inheritance(): Omit<Inheritance, 'socketPath'> {
    const services = [...this.#services].map(([name, { bins }]) => ({ name, bins: bins.kept }))
    return { bootId: this.#bootId, services }
  }

  /**
   * From now on nothing is written, and no process started or stopped; the state on the disk is the newest when it
   * resolves. Requests go on. Throws UNAVAILABLE when the disk does not take it.
   */
  async freeze(): Promise<void> {
    await this.#declaring.idle()
    this.#frozen ??= Promise.withResolvers()
    await Promise.all([...this.#services.values()].map(({ instanceSet }) => instanceSet.freeze()))
    await this.#save()
  }

  /** The opposite of `freeze`, after which it goes on as before. */
  thaw(): void {
    for (const { instanceSet } of this.#services.values()) instanceSet.thaw()
    this.#frozen?.resolve()
    this.#frozen = null
  }

  /** Another process is the edge now: requests in progress go on, nothing else does. */
  abandon(): void {
    for (const { instanceSet } of this.#services.values()) instanceSet.abandon()
  }

  /** The edge after this one is about to stop an instance. */
  cut(instanceId: string): void {
    for (const { instanceSet } of this.#services.values()) instanceSet.cut(instanceId)
  }

  /** The edge before this one acts no more: this one does, and listens where that one did not. */
  async takeOver(): Promise<void> {
    this.thaw()
    for (const service of this.#services.values())
      if (!service.listener && !service.isLeaving) void service.listenEventually()
    await this.#persist()
  }

  /** What the edge before this one tells of the requests that it still has. */
  heed(progress: Progress): void {
    for (const { name, inFlight, ended } of progress) {
      const service = this.#services.get(name)
      service?.instanceSet.setInFlightElsewhere(inFlight)
      for (const counts of ended) service?.bins.of(counts.releaseId).absorb(counts)
    }
  }

  /** The edge before this one has gone, and its requests with it. */
  forgetPredecessor(): void {
    for (const { instanceSet } of this.#services.values()) instanceSet.setInFlightElsewhere({})
  }

  readonly handlers: Handlers = {
    status: () => ({
      version: this.#options.version,
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      trouble: [this.#unkept, this.#trouble && lostOnRestart, this.#orphans.text].filter(Boolean).join(' '),
      damage: this.#damage,
      services: [...this.#services].map(([name, service]) => ({
        name,
        address: service.address,
        instances: service.instanceSet.report().instances.length,
      })),
    }),
    declare: ({ definition }) => {
      return this.#declaring.run(() => this.#declare(definition))
    },
    withdraw: async ({ service: name }) => {
      const service = this.#services.get(name)
      if (!service || service.isLeaving) return {}
      service.leave()
      await this.#persist()
      void this.#withdraw(name, service)
      return {}
    },
    ensure: async (input) => {
      if (input.release.service !== input.service)
        throw new AppError(
          'BAD_INPUT',
          `Release ${input.release.id} belongs to the service ${input.release.service}, not to ${input.service}.`,
        )
      const service = this.#service(input.service)
      if (service.isLeaving) throw new AppError('NOT_FOUND', `The service ${input.service} is being removed.`)
      await service.instanceSet.ensure(input)
      return {}
    },
    observe: ({ service }) => {
      const { instanceSet, listenTrouble } = this.#service(service)
      return { ...instanceSet.report(), listenTrouble, trouble: this.#unkept }
    },
    remove: async (input) => {
      const { instanceSet, traffic } = this.#service(input.service)
      const share = weightOf(traffic.record.weights, input.releaseId)
      if (share > 0)
        throw new AppError(
          'CONFLICT',
          `${input.releaseId} still has ${weightText(share)} of the traffic of ${input.service}.`,
        )
      await instanceSet.remove(input)
      return {}
    },
    restart: (input) => this.#service(input.service).instanceSet.restart(input),
    logs: (input) => this.#service(input.service).instanceSet.logs(input),
    weights: ({ service }) => this.#service(service).traffic.report(),
    setWeights: async (input) => {
      const report = this.#service(input.service).traffic.set(input)
      return { ...report, isKept: await this.#persist() }
    },
    emergency: async ({ orders }) => {
      // All of them first, the disk after: traffic has moved when the first byte is written.
      const atMs = this.#options.clock.nowMs()
      const results = orders.map((order) => this.#emergency(order, atMs))
      const isKept = await this.#keep(orders, results)
      return results.map((result) => (result.ok ? { ...result, isKept } : result))
    },
    bins: ({ service, cursor }) => this.#service(service).bins.since(cursor),
    guards: ({ service }) => {
      const { gate } = this.#service(service)
      return { guards: gate.guards, circuits: gate.circuits() }
    },
    setGuards: async ({ service, guards }) => {
      this.#service(service).setGuards(guards)
      await this.#persist()
      return {}
    },
    handover: (program) => this.#options.onHandover(program),
    stop: (order) => {
      this.#options.onStop(order)
      return {}
    },
  }

  /** Ends the edge. Instances go on without it, or are drained and stopped. */
  async close(withInstances: boolean): Promise<void> {
    if (!withInstances && !this.#frozen) await this.#persist()
    await Promise.all([...this.#services.values()].map((service) => service.close(withInstances)))
    this.#orphans[Symbol.dispose]()
    if (withInstances) await Promise.all([this.#persist(), this.#orphans.endAll()])
    this.#retry?.[Symbol.dispose]()
    this.#closingPorts?.[Symbol.dispose]()
  }

  async #sweepLogs(ids: readonly string[]): Promise<void> {
    const { directory, clock } = this.#options
    await InstanceLog.sweep(logsOf(directory), new Set(ids), clock.nowMs() - oldLogMs)
  }

  /** Of services that were not declared again: their clients would wait forever. */
  #closeKeptPorts(): void {
    for (const descriptor of this.#keptPorts.values()) closeSync(descriptor)
    this.#keptPorts.clear()
  }

  #takeKeptPort(service: string): number | null {
    const descriptor = this.#keptPorts.get(service) ?? null
    this.#keptPorts.delete(service)
    return descriptor
  }

  async #restore(record: StoredService): Promise<void> {
    const { name } = record.definition
    const service = this.#build(record)
    this.#services.set(name, service)
    const { inheritance } = this.#options
    const inherited = inheritance?.services.find((one) => one.name === name)
    if (inherited) service.bins.inherit(inherited.bins)
    // Clients may be waiting at a port that was kept: its instances are known before the first of them is served.
    await service.instanceSet.restore(record)
    if (!record.isLeaving && !inheritance) await service.listenEventually()
    if (record.isLeaving) void this.#acting().then(() => this.#withdraw(name, service))
  }

  async #declare(definition: EdgeInput<'declare'>['definition']): Promise<{ address: string }> {
    const known = this.#services.get(definition.name)
    if (known?.isLeaving)
      throw new AppError(
        'CONFLICT',
        `${definition.name} is being removed. Declare it again when that is done.`,
      )
    if (known) {
      // Declared anew by an engine that starts: nothing has changed that a full disk would have to take.
      if (isDeepStrictEqual(known.record.definition, definition)) return { address: known.address }
      await known.redefine(definition)
    } else {
      const service = this.#build({
        definition,
        isLeaving: false,
        port: definition.listen.port,
        traffic: noTraffic(),
        guards: guardsSchema.parse({}),
        releases: [],
        doneKeys: [],
        instances: [],
        restarts: [],
      })
      // A service whose port is taken is known all the same: `observe` says why it does not listen, until it does.
      await service.listenEventually()
      this.#services.set(definition.name, service)
    }
    await this.#persist()
    return { address: this.#service(definition.name).address }
  }

  /** Kept on record until nothing of it runs: an edge that is killed meanwhile goes on with it. */
  async #withdraw(name: string, service: Service): Promise<void> {
    try {
      await service.close(true)
      if (this.#services.get(name) === service) this.#services.delete(name)
      await this.#persist()
    } catch (failure) {
      this.#options.log.error('a service could not be removed yet', {
        service: name,
        failure: messageOf(failure),
      })
    }
  }

  #emergency(order: EdgeInput<'emergency'>['orders'][number], atMs: number): Moved {
    try {
      return { ok: true, value: this.#service(order.service).traffic.emergency(order, atMs) }
    } catch (failure) {
      if (!(failure instanceof AppError)) throw failure
      return { ok: false, code: failure.code, message: failure.message }
    }
  }

  #build(record: StoredService): Service {
    const { directory } = this.#options
    return new Service(
      {
        ...this.#options,
        logDirectory: logsOf(directory),
        ports: this.#ports,
        processes: this.#processes,
        portOwners: this.#portOwners,
        bootId: this.#bootId,
        edgeDirectory: this.#edgeDirectory,
        orphans: this.#orphans,
        keptPort: this.#takeKeptPort(record.definition.name),
        persist: () => this.#persist(),
        acting: () => this.#acting(),
      },
      record,
    )
  }

  /** Whether what has moved is on the disk: in the journal, which is quick, else in the whole state. */
  async #keep(orders: EdgeInput<'emergency'>['orders'], results: readonly Moved[]): Promise<boolean> {
    const moved = orders.flatMap(({ service }, i) => {
      const result = results[i]
      return result?.ok ? [{ service, report: result.value }] : []
    })
    if (moved.length === 0) return true
    const isNoted = await this.#file.note(moved).then(
      () => true,
      () => false,
    )
    const isSaved = this.#persist()
    return isNoted || isSaved
  }

  /** What cannot be written to the disk now, as sentences. */
  get #unkept(): string {
    return [this.#trouble, ...this.#options.unwritten()].filter(Boolean).join(' ')
  }

  async #acting(): Promise<void> {
    while (this.#frozen) await this.#frozen.promise
  }

  /**
   * Whether what holds now is on the disk. An order is never refused because the disk takes nothing: it takes effect,
   * `status` and `observe` say that a restart of the edge would forget it, and it is written as soon as it can be.
   */
  async #persist(): Promise<boolean> {
    while (this.#frozen) await this.#frozen.promise
    if (!this.#isRestored) return false
    return this.#save().then(
      () => true,
      () => false,
    )
  }

  /** Tries again until the state is written, which this edge says when it happens. Throws UNAVAILABLE until then. */
  async #save(): Promise<void> {
    const { log } = this.#options
    try {
      await this.#file.save()
      if (this.#trouble !== '') log.info('the state can be written again')
      this.#trouble = ''
    } catch (failure) {
      const trouble = `The edge's state cannot be written: ${messageOf(failure)}.`
      if (trouble !== this.#trouble) log.error('the state cannot be written', { failure: messageOf(failure) })
      this.#trouble = trouble
      this.#retry?.[Symbol.dispose]()
      this.#retry = this.#options.clock.after(writeAgainMs, () => void this.#persist())
      throw new AppError('UNAVAILABLE', `${trouble} ${lostOnRestart}`)
    }
  }

  #service(name: string): Service {
    const service = this.#services.get(name)
    if (!service) throw new AppError('NOT_FOUND', `The edge runs no service "${name}".`)
    return service
  }
}
