import { SerialQueue, type Clock } from '../../base/index.ts'
import {
  judgeLimitsSchema,
  type Capabilities,
  type PlanOptions,
  type ServiceDefinition,
} from '../../contract/index.ts'
import { canonicalJson } from '../audit/index.ts'
import type { Listening, ServiceConfig } from '../config/index.ts'
import type { Loop, Supervisor } from '../core/index.ts'
import { buildPlan, type DeploymentController, type SteeredService } from '../deployments/index.ts'
import type { Equipment } from '../platforms/index.ts'
import type { CheckConfig } from '../validation/index.ts'
import { TrafficWatch, type TrafficStores } from './traffic-watch.ts'

export type ServiceOrigin = 'file' | 'declared'

/** A service with what its configuration says of deployments. */
export interface OperatedService extends SteeredService {
  /** Of the platform that it runs on. */
  capabilities: Capabilities
  origin: ServiceOrigin
  /** Of the whole, then of the service; a deployment's own come last. */
  deployOptions: readonly PlanOptions[]
  /** Share of its requests that may fail, as in its plans. */
  maxErrorRatio: number
  checks: readonly CheckConfig[]
}

/** What the config says of services. */
export interface Configured {
  deploy: PlanOptions
  services: readonly ServiceConfig[]
  /** Where the engine is reached over the network; left out where it is not. */
  server?: Listening
}

/** Where a service runs and what routes it. */
export type Equip = (definition: ServiceDefinition) => Equipment

export interface ServiceRegistryParts {
  clock: Clock
  stores: TrafficStores
  controller: DeploymentController
  equip: Equip
  /** Whether a deployment of it has not ended. */
  isMoving: (service: string) => boolean
  /** New counts of a service. */
  counted: (service: string) => void
  dropped: (service: string) => void
  /** The configured number of instances of a steered service, whether or not it has changed. */
  sized: (service: string, instances: number, origin: ServiceOrigin) => void
}

interface Entry {
  service: OperatedService
  watch: TrafficWatch
}

/**
 * The services that are steered now: those of the config, and those that were declared, of which one with the name of
 * a configured one counts for nothing. What changes is taken into use while the rest runs on; one that is not wanted any more
 * is steered until its deployment has ended.
 */
export class ServiceRegistry {
  readonly #parts: ServiceRegistryParts
  readonly #entries = new Map<string, Entry>()
  #configured: Configured
  #declared: readonly ServiceConfig[]
  #supervisor: Supervisor | null = null
  readonly #queue = new SerialQueue()

  constructor(parts: ServiceRegistryParts, configured: Configured, declared: readonly ServiceConfig[]) {
    this.#parts = parts
    this.#configured = configured
    this.#declared = declared
  }

  get names(): string[] {
    return [...this.#entries.keys()]
  }

  find(name: string): OperatedService | undefined {
    return this.#entries.get(name)?.service
  }

  watch(name: string): TrafficWatch | undefined {
    return this.#entries.get(name)?.watch
  }

  get server(): Listening | undefined {
    return this.#configured.server
  }

  isConfigured(name: string): boolean {
    return this.#configured.services.some(({ definition }) => definition.name === name)
  }

  start(supervisor: Supervisor): void {
    this.#supervisor = supervisor
    void this.#apply()
  }

  /** Resolves when the loops of what has changed are the new ones. */
  configure(configured: Configured): Promise<void> {
    this.#configured = configured
    return this.#queue.run(() => this.#apply())
  }

  declare(declared: readonly ServiceConfig[]): Promise<void> {
    this.#declared = declared
    return this.#queue.run(() => this.#apply())
  }

  /** Lets go what is not wanted any more and has come to rest. */
  settle(service: string): void {
    if (this.#entries.has(service) && !this.#wanted().has(service)) void this.#queue.run(() => this.#apply())
  }

  #wanted(): Map<string, { config: ServiceConfig; origin: ServiceOrigin }> {
    const of = (services: readonly ServiceConfig[], origin: ServiceOrigin) =>
      services.map((config) => [config.definition.name, { config, origin }] as const)
    return new Map([...of(this.#declared, 'declared'), ...of(this.#configured.services, 'file')])
  }

  async #apply(): Promise<void> {
    const wanted = this.#wanted()
    for (const name of this.names) {
      if (wanted.has(name) || this.#parts.isMoving(name)) continue
      await this.#end(name)
      this.#parts.controller.remove(name)
      this.#entries.delete(name)
      this.#parts.dropped(name)
    }
    for (const [name, { config, origin }] of wanted) {
      const deployOptions = [this.#configured.deploy, config.deploy]
      const service: OperatedService = {
        ...this.#parts.equip(config.definition),
        definition: config.definition,
        origin,
        deployOptions,
        maxErrorRatio: maxErrorRatioOf(deployOptions),
        checks: config.checks,
      }
      const entry = this.#entries.get(name)
      const instances = instancesOf(deployOptions)
      if (entry && isSame(entry.service.definition, service.definition)) entry.service = service
      else await this.#begin(name, service)
      if (instances !== null) this.#parts.sized(name, instances, origin)
    }
  }

  /** A loop reads all it needs from the store, so that another one can take its place at any moment. */
  async #begin(name: string, service: OperatedService): Promise<void> {
    if (this.#entries.has(name)) await this.#end(name)
    const { clock, stores, counted } = this.#parts
    const watch = new TrafficWatch(service, { clock, stores, changed: () => counted(name) })
    this.#entries.set(name, { service, watch })
    this.#supervisor?.add(this.#parts.controller.add(service))
    this.#supervisor?.add(trafficLoop(name, watch))
  }

  async #end(name: string): Promise<void> {
    await this.#supervisor?.remove(`service ${name}`)
    await this.#supervisor?.remove(`traffic of ${name}`)
  }
}

const isSame = (a: ServiceDefinition, b: ServiceDefinition): boolean => canonicalJson(a) === canonicalJson(b)

const trafficLoop = (name: string, watch: TrafficWatch): Loop => ({
  name: `traffic of ${name}`,
  run: (signal, heart) => watch.run(signal, heart),
})

/** Null where the options come to no plan. */
function instancesOf(options: readonly PlanOptions[]): number | null {
  const plan = buildPlan(...options)
  return plan.ok ? plan.value.instances : null
}

function maxErrorRatioOf(options: readonly PlanOptions[]): number {
  const plan = buildPlan(...options)
  return (plan.ok ? plan.value.limits : judgeLimitsSchema.parse({})).maxErrorRatio
}
