import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  guardsSchema,
  type EdgeInput,
  type EdgeOutput,
  type EdgeProcedure,
  type EdgeReport,
  type ErrorCode,
} from '../contract/index.ts'
import type { Surroundings } from './clock.ts'
import { EdgeFailure, messageOf } from './failure.ts'
import type { Inheritance, Progress } from './handover/messages.ts'
import type { Limits } from './limits.ts'
import { Service } from './service.ts'
import { readState, StateFile } from './state/state-file.ts'
import type { ServiceRecord } from './state/state.ts'
import { InstanceLog } from './supervisor/instance-log.ts'
import { PortBook } from './supervisor/port-book.ts'
import { noTraffic } from './traffic.ts'

export interface PlatformOptions extends Surroundings {
  /** Holds the state and the logs. */
  directory: string
  limits: Limits
  environment: Readonly<Record<string, string | undefined>>
  version: string
  /** A person or the app wants the edge to end. */
  onStop: (withInstances: boolean) => void
  /** Another process shall be the edge; resolves when it is. */
  onHandover: (program: EdgeInput<'handover'>) => Promise<EdgeOutput<'handover'>>
  /** From the edge that hands over to this one, which `takeOver` makes the one that acts. */
  inheritance: Inheritance | null
}

/** What answers each procedure of the admin socket. */
export type Handlers = {
  [P in EdgeProcedure]: (input: EdgeInput<P>) => Promise<EdgeOutput<P>> | EdgeOutput<P>
}

/** What an order of emergency came to, before it is known whether it can be kept. */
type Moved = { ok: true; value: EdgeReport } | { ok: false; code: ErrorCode; message: string }

/** What an instance that has gone had printed is kept at least this long over a restart of the edge. */
const oldLogMs = 7 * 86_400_000

/** All services of one edge, and their state on the disk. */
export class Platform {
  readonly #options: PlatformOptions
  readonly #services = new Map<string, Service>()
  /** Services on their way in: two that declare the same one wait for one another. */
  #declaring: Promise<unknown> = Promise.resolve()
  readonly #file: StateFile
  readonly #ports = new PortBook()
  readonly #bootId: string
  readonly #startedAtMs: number
  /** Nothing is written before everything was read: the state would lose what is not yet taken up. */
  #isRestored = false
  /** While another edge acts: this one writes nothing, and starts and stops no process. */
  #frozen: PromiseWithResolvers<void> | null

  private constructor(options: PlatformOptions, generation: number) {
    this.#options = options
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
  static async open(options: PlatformOptions): Promise<Platform> {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    await InstanceLog.prepare(join(options.directory, 'logs'))
    const { state, trouble, generation } = await readState(join(options.directory, 'state.json'))
    const platform = new Platform(options, generation)
    if (trouble !== '') options.log.error('the state was damaged, the one before it is used', { trouble })
    await Promise.all(state.services.map((record) => platform.#restore(record)))
    platform.#isRestored = true
    await platform
      .#sweepLogs(state.services.flatMap(({ instances }) => instances))
      .catch((failure: unknown) => options.log.warn('old logs stay', { failure: messageOf(failure) }))
    if (!options.inheritance) await platform.#file.save()
    return platform
  }

  get services(): ReadonlyMap<string, Service> {
    return this.#services
  }

  /** What an edge after this one needs beside the state on the disk. */
  get inheritance(): Inheritance {
    const services = [...this.#services].map(([name, { bins }]) => ({ name, bins: bins.kept }))
    return { limits: this.#options.limits, bootId: this.#bootId, services }
  }

  /**
   * From now on nothing is written, and no process started or stopped; the state on the disk is the newest when it
   * resolves. Requests go on. Throws UNAVAILABLE when the disk does not take it.
   */
  async freeze(): Promise<void> {
    await this.#declaring
    this.#frozen ??= Promise.withResolvers()
    await Promise.all([...this.#services.values()].map(({ fleet }) => fleet.freeze()))
    await this.#save()
  }

  /** The opposite of `freeze`, after which it goes on as before. */
  thaw(): void {
    for (const { fleet } of this.#services.values()) fleet.thaw()
    this.#frozen?.resolve()
    this.#frozen = null
  }

  /** Another process is the edge now: requests under way go on, nothing else does. */
  abandon(): void {
    for (const { fleet } of this.#services.values()) fleet.abandon()
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
      service?.fleet.setInFlightElsewhere(inFlight)
      for (const counts of ended) service?.bins.of(counts.releaseId).absorb(counts)
    }
  }

  /** The edge before this one has gone, and its requests with it. */
  forgetPredecessor(): void {
    for (const { fleet } of this.#services.values()) fleet.setInFlightElsewhere({})
  }

  readonly handlers: Handlers = {
    status: () => ({
      version: this.#options.version,
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      services: [...this.#services].map(([name, service]) => ({
        name,
        address: service.address,
        instances: service.fleet.report().instances.length,
      })),
    }),
    declare: ({ definition }) => {
      const declared = this.#declaring.then(() => this.#declare(definition))
      this.#declaring = declared.catch(() => undefined)
      return declared
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
        throw new EdgeFailure('BAD_INPUT', `Release ${input.release.id} is one of ${input.release.service}.`)
      const service = this.#service(input.service)
      if (service.isLeaving) throw new EdgeFailure('NOT_FOUND', `${input.service} is being withdrawn.`)
      await service.fleet.ensure(input)
      return {}
    },
    observe: ({ service }) => this.#service(service).fleet.report(),
    remove: async (input) => {
      const { fleet, traffic } = this.#service(input.service)
      const share = traffic.record.weights[input.releaseId] ?? 0
      if (share > 0)
        throw new EdgeFailure(
          'CONFLICT',
          `${input.releaseId} still has ${share} % of the traffic of ${input.service}.`,
        )
      await fleet.remove(input)
      return {}
    },
    logs: (input) => this.#service(input.service).fleet.logs(input),
    weights: ({ service }) => this.#service(service).traffic.report(),
    setWeights: async (input) => {
      const report = this.#service(input.service).traffic.set(input)
      await this.#persist()
      return report
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
    stop: ({ instances }) => {
      this.#options.onStop(instances)
      return {}
    },
  }

  /** Ends the edge. Instances go on without it, or are drained and stopped. */
  async close(withInstances: boolean): Promise<void> {
    const persist = () =>
      this.#persist().catch((failure: unknown) => {
        this.#options.log.error('the state cannot be written', { failure: String(failure) })
      })
    if (!withInstances && !this.#frozen) await persist()
    await Promise.all([...this.#services.values()].map((service) => service.close(withInstances)))
    if (withInstances) await persist()
  }

  async #sweepLogs(instances: readonly { id: string }[]): Promise<void> {
    const { directory, clock } = this.#options
    const knownIds = new Set(instances.map(({ id }) => id))
    await InstanceLog.sweep(join(directory, 'logs'), knownIds, clock.nowMs() - oldLogMs)
  }

  async #restore(record: ServiceRecord): Promise<void> {
    const { name } = record.definition
    const service = this.#build(record)
    this.#services.set(name, service)
    const { inheritance } = this.#options
    const inherited = inheritance?.services.find((one) => one.name === name)
    if (inherited) service.bins.inherit(inherited.bins)
    await Promise.all([
      service.fleet.restore(record),
      record.isLeaving || inheritance ? undefined : service.listenEventually(),
    ])
    if (record.isLeaving) void this.#acting().then(() => this.#withdraw(name, service))
  }

  async #declare(definition: EdgeInput<'declare'>['definition']): Promise<{ address: string }> {
    const known = this.#services.get(definition.name)
    if (known?.isLeaving)
      throw new EdgeFailure('CONFLICT', `${definition.name} is being withdrawn: declare it when it is gone.`)
    if (known) {
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
      })
      try {
        await service.listen()
      } catch (failure) {
        await service.close(false)
        throw failure
      }
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
      this.#options.log.error('a service is not withdrawn yet', {
        service: name,
        failure: messageOf(failure),
      })
    }
  }

  #emergency(order: EdgeInput<'emergency'>['orders'][number], atMs: number): Moved {
    try {
      return { ok: true, value: this.#service(order.service).traffic.emergency(order, atMs) }
    } catch (failure) {
      if (!(failure instanceof EdgeFailure)) throw failure
      return { ok: false, code: failure.code, message: failure.message }
    }
  }

  #build(record: ServiceRecord): Service {
    const { directory } = this.#options
    return new Service(
      {
        ...this.#options,
        logDirectory: join(directory, 'logs'),
        ports: this.#ports,
        bootId: this.#bootId,
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
    const isSaved = this.#persist().then(
      () => true,
      (failure: unknown) => {
        this.#options.log.error('traffic has moved, but the state cannot be written', {
          failure: messageOf(failure),
        })
        return false
      },
    )
    return isNoted || isSaved
  }

  async #acting(): Promise<void> {
    while (this.#frozen) await this.#frozen.promise
  }

  /** Throws UNAVAILABLE when the disk does not take it: it holds now, and not after a restart. */
  async #persist(): Promise<void> {
    while (this.#frozen) await this.#frozen.promise
    if (this.#isRestored) await this.#save()
  }

  async #save(): Promise<void> {
    try {
      await this.#file.save()
    } catch (failure) {
      throw new EdgeFailure('UNAVAILABLE', `The edge's state cannot be written: ${messageOf(failure)}`)
    }
  }

  #service(name: string): Service {
    const service = this.#services.get(name)
    if (!service) throw new EdgeFailure('NOT_FOUND', `The edge knows no service ${name}.`)
    return service
  }
}
