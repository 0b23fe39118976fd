import { AppError, fail, ok, type Clock, type Log, type Result } from '../../base/index.ts'
import {
  configurationActor,
  notFoundText,
  type Actor,
  type Bin,
  type LogLine,
  type ServiceState,
} from '../../contract/index.ts'
import { audited } from '../audit/index.ts'
import type { AccountCheck } from '../config/index.ts'
import { within, type LiveStore, type Supervisor } from '../core/index.ts'
import {
  type DeploymentController,
  type DeploymentProjection,
  type ServiceView,
} from '../deployments/index.ts'
import type { NoticeBoard } from '../journal/index.ts'
import { changedReleaseRemedy } from './concerns.ts'
import { namesOf, storeReleases } from './configured-releases.ts'
import { Declarations, declaredConfigs, type DeclareRequest, type DeclaringStores } from './declarations.ts'
import type { Declaration } from './ports.ts'
import { ServiceProjection } from './projection.ts'
import {
  ServiceRegistry,
  type Configured,
  type Equip,
  type OperatedService,
  type ServiceOrigin,
} from './registry.ts'
import { shownDeclaration } from './shown.ts'
import type { TrafficStores } from './traffic-watch.ts'

export interface ServicesParts {
  clock: Clock
  log: Log
  stores: DeclaringStores & TrafficStores
  live: LiveStore
  notices: NoticeBoard
  controller: DeploymentController
  deployments: DeploymentProjection
  environment: string
  /** As the config has them at the start. */
  configured: Configured
  /** As stored. */
  declared: readonly Declaration[]
  equip: Equip
  /** Why programs cannot run as a user and group; left out: not judged. */
  accountProblem?: AccountCheck | undefined
}

/** How long an answer of router or target is waited for. */
const answerWithinMs = 5000

/** The services that are steered: how they come, change and go, what is seen of them, and their instances. */
export class Services implements Disposable {
  readonly #parts: ServicesParts
  readonly #registry: ServiceRegistry
  readonly #declarations: Declarations
  readonly #projection: ServiceProjection

  constructor(parts: ServicesParts) {
    this.#parts = parts
    const { configured, declared, equip } = parts
    const warn = (text: string) => void parts.notices.post({ severity: 'warning', text, link: '/services' })
    this.#projection = new ServiceProjection({
      ...parts,
      find: (name) => {
        const service = this.#registry.find(name)
        const watch = this.#registry.watch(name)
        return service && watch ? { service, watch } : undefined
      },
    })
    this.#registry = new ServiceRegistry(
      {
        ...parts,
        isMoving: (service) => this.#projection.isMoving(service),
        counted: (service) => this.#projection.show(service),
        dropped: (service) => this.#drop(service),
        sized: (service, instances, origin) => this.#size(service, instances, origin),
      },
      configured,
      declaredConfigs(declared, warn),
    )
    this.#declarations = new Declarations({ ...parts, equip, registry: this.#registry, warn }, declared)
  }

  /** Keeps the releases that the config names, so that none is missing when the first command comes. */
  prepare(): Promise<void> {
    return this.#storeReleases(this.#parts.configured)
  }

  /** Takes up the services, with loops that `supervisor` keeps alive. */
  start(supervisor: Supervisor): void {
    this.#registry.start(supervisor)
    this.#declarations.start()
  }

  [Symbol.dispose](): void {
    this.#declarations[Symbol.dispose]()
  }

  /** A look at a service has found something. */
  take(view: ServiceView): void {
    this.#projection.take(view)
    if (view.open.length === 0) this.#registry.settle(view.record.name)
  }

  /** Takes a changed config into use. */
  async configure(configured: Configured): Promise<void> {
    await this.#storeReleases(configured)
    await this.#registry.configure(configured)
  }

  /** What the services belong to from now on. */
  setEnvironment(environment: string): void {
    this.#projection.setEnvironment(environment)
    for (const name of this.#registry.names) this.#projection.show(name)
  }

  /** Whether there is anything to run or to end. */
  get isNeeded(): boolean {
    return this.#registry.names.length > 0 || this.#declarations.isLeaving
  }

  list(): ServiceState[] {
    return this.#registry.names.flatMap((name) => this.#parts.live.get(`service:${name}`) ?? [])
  }

  find(name: string): OperatedService | undefined {
    return this.#registry.find(name)
  }

  /** NOT_FOUND names the services that there are. */
  require(name: string): Result<OperatedService> {
    const found = this.#registry.find(name)
    return found
      ? ok(found)
      : fail(
          new AppError('NOT_FOUND', notFoundText('service', name, this.#registry.names), {
            details: { service: name },
          }),
        )
  }

  view(name: string): ServiceView | undefined {
    return this.#projection.view(name)
  }

  /** As a mean over the last minutes; null while too little was seen. */
  requestsPerSecond(name: string): number | null {
    return this.#registry.watch(name)?.requestsPerSecond(this.#parts.clock.nowMs()) ?? null
  }

  bins(service: string, fromMs: number, stepMs?: number): Result<Bin[]> {
    const found = this.require(service)
    return found.ok ? ok(this.#registry.watch(service)?.since(fromMs, stepMs) ?? []) : found
  }

  async declare(request: DeclareRequest): Promise<Result<Declaration>> {
    const declared = await this.#declarations.declare(request)
    return declared.ok ? ok(shownDeclaration(declared.value)) : declared
  }

  /** As it was written, but for what may be secret; put back as it is, it stays what it was. */
  declaration(service: string): Result<Declaration> {
    const found = this.#declarations.find(service)
    if (found) return ok(shownDeclaration(found))
    const text = this.#registry.isConfigured(service)
      ? `${service} is defined in the configuration file.`
      : notFoundText('service', service, this.#registry.names)
    return fail(new AppError('NOT_FOUND', text, { details: { service } }))
  }

  remove(service: string, by: Actor, why: string): Promise<Result<void>> {
    return this.#declarations.remove(service, by, why)
  }

  async logs(request: {
    service: string
    releaseId?: string
    instanceId?: string
    lines: number
  }): Promise<Result<LogLine[]>> {
    const found = this.require(request.service)
    return found.ok ? found.value.target.logs(request) : found
  }

  /** Restarts instances one at a time, and gives them in their order. The order is on record before it is given. */
  async restart(
    { service, ...which }: { service: string; releaseId?: string; instanceId?: string },
    by: Actor,
    why: string,
  ): Promise<Result<string[]>> {
    const found = this.require(service)
    if (!found.ok) return found
    const { stores, clock } = this.#parts
    const entry = {
      atMs: clock.nowMs(),
      actor: by,
      action: 'services.restart',
      target: service,
      why,
      details: which,
    }
    const stored = await stores.work.commit(audited([entry]))
    if (!stored.ok) return stored
    const restarted = await within(clock, answerWithinMs, `the target of ${service}`, () =>
      found.value.target.restart({ service, ...which, by }),
    )
    return restarted.ok ? ok(restarted.value.instanceIds) : restarted
  }

  /** Resumes automation after an emergency rollback. */
  async resume(
    service: string,
    { by, why, expectedRevision }: { by: Actor; why: string; expectedRevision: number | null },
  ): Promise<Result<ServiceState>> {
    const resumed = await this.#parts.controller.resumeAutomation(service, by, why, expectedRevision)
    if (!resumed.ok) return resumed
    const state = this.#parts.live.get(`service:${service}`)
    return state ? ok(state) : fail(new AppError('UNAVAILABLE', `${service} has no state yet.`))
  }

  /** Whoever changed the number of instances in its configuration, a running service follows. */
  #size(service: string, instances: number, origin: ServiceOrigin): void {
    const by =
      origin === 'file' ? configurationActor : (this.#declarations.find(service)?.by ?? configurationActor)
    this.#parts.controller.declareInstances(service, {
      instances,
      by,
      why: 'deploy.instances was changed',
    })
  }

  #drop(name: string): void {
    const stable = this.#projection.drop(name)
    if (stable === null || this.#declarations.find(name)) return
    const text = `${name} is no longer configured: ${stable} keeps serving, but nothing manages it. Add it back, or remove it: pilothouse services ${name} remove`
    this.#parts.notices.post({ severity: 'warning', text, link: '/services' })
  }

  async #storeReleases({ services }: Configured): Promise<void> {
    const { notices, log } = this.#parts
    const stored = await storeReleases(services, this.#parts)
    if (!stored.ok) {
      notices.post({ severity: 'warning', text: stored.error.message, link: '/settings' })
      return
    }
    this.#projection.setChangedReleases(stored.value)
    for (const name of this.#registry.names) this.#projection.show(name)
    if (stored.value.length === 0) return
    const text = `The configuration file changes ${namesOf(stored.value)}; recorded releases do not change. ${changedReleaseRemedy}`
    notices.post({ severity: 'warning', text, link: '/services' })
    log.warn('the configuration file changes recorded releases', { text })
  }
}
