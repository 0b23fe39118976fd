import { Disposables, SerialQueue, type Clock, type Log, type Rng } from '../base/index.ts'
import {
  type ConfigStatus,
  type ConfigEntries,
  type ServiceState,
  type TimeZoneName,
} from '../contract/index.ts'
import { createRouter, type ApiRouter } from './api/index.ts'
import { audited, RefusalLog, type Refusal } from './audit/index.ts'
import type { AccountCheck } from './config/index.ts'
import { thresholdJudge } from './canary/index.ts'
import { LiveStore, Supervisor, within, type Loop } from './core/index.ts'
import {
  DeploymentController,
  DeploymentProjection,
  evidenceOf,
  type HookRunner,
  type HeadroomLook,
  type Validator,
} from './deployments/index.ts'
import { HostRegistry } from './hosts/index.ts'
import { NoticeBoard, recordLaunch, type Journal } from './journal/index.ts'
import type { Stores } from './stores.ts'
import {
  Services,
  type Configured,
  type Equip,
  type Declaration,
  type OperatedService,
} from './services/index.ts'
import { SampleFeed } from './live/index.ts'
import { EngineStatus } from './status/index.ts'
import type { Limits, MetricSource, TelemetryStore } from './telemetry/index.ts'

/** What may change while the engine runs. */
export interface EngineSettings {
  intervalMs: number
  limits: Limits
  /** Health of the whole below which readiness fails, 0 to 100. */
  minHealthScore: number
  /** In which zone screens and command line show times, unless a viewer chooses another. */
  timeZone: TimeZoneName
}

export interface EngineParts {
  clock: Clock
  rng: Rng
  log: Log
  version: string
  environment: string
  /** Told to the screens, whose commands for a terminal name it. */
  dataDirectory?: string
  settings: EngineSettings
  sources: readonly MetricSource[]
  telemetry: TelemetryStore
  journal: Journal
  /** Services with where they run and what routes them, and what their deployments need. */
  steering: Steering
  /** The running configuration, for the screen that shows it. */
  config: () => ConfigEntries
  configStatus: ConfigStatus
  /** What was wrong when it was opened, until the next launch: shown as failed readiness checks. */
  concerns?: readonly { name: string; text: string }[]
}

export interface Steering {
  /** As the config has it at the start; `configure` takes a newer one into use. */
  configured: Configured
  /** Services that were declared over the API, as stored. */
  declared: readonly Declaration[]
  equip: Equip
  accountProblem?: AccountCheck | undefined
  stores: Stores
  validator: Validator
  hooks: HookRunner
  room: HeadroomLook
  /** What looks after the platforms that services run on. */
  loops: readonly Loop[]
}

/** Deployments that may move at the same time, over all services. */
const mostAtOnce = 100
/** How long an answer of the state database is waited for. */
const answerWithinMs = 5000

/**
 * The product without its surroundings: samples hosts, keeps their state, answers the contract. Everything outside
 * it comes in through `EngineParts`, which the caller owns and disposes after the engine.
 */
export class Engine implements AsyncDisposable {
  /** Names this launch; another one tells consumers that all they knew is void. */
  readonly epoch: string
  readonly live = new LiveStore()
  readonly feed = new SampleFeed()
  readonly router: ApiRouter
  readonly parts: EngineParts
  readonly notices: NoticeBoard
  readonly hosts: HostRegistry
  readonly status: EngineStatus
  readonly #services: Services
  readonly #controller: DeploymentController
  readonly #refusals: RefusalLog
  readonly #supervisor: Supervisor
  readonly #held = new Disposables()
  #settings: EngineSettings
  readonly #pacing = new SerialQueue()

  constructor(parts: EngineParts) {
    this.parts = parts
    this.epoch = parts.rng.hex(8)
    this.#settings = parts.settings
    this.#supervisor = new Supervisor(parts)
    this.notices = new NoticeBoard({ ...parts, live: this.live })
    this.hosts = new HostRegistry({
      ...parts,
      live: this.live,
      feed: this.feed,
      notices: this.notices,
      supervisor: this.#supervisor,
    })
    for (const source of parts.sources) this.hosts.add(source)
    const shared = { ...parts, ...parts.steering, live: this.live, notices: this.notices }
    this.#controller = new DeploymentController({ ...shared, judge: thresholdJudge }, [], {
      mostAtOnce,
      changed: (view) => this.#services.take(view),
    })
    this.#services = new Services({
      ...shared,
      controller: this.#controller,
      deployments: new DeploymentProjection(shared),
    })
    this.status = new EngineStatus(
      {
        ...parts,
        live: this.live,
        hosts: this.hosts,
        services: this.#services,
        supervisor: this.#supervisor,
      },
      { ...parts.settings, environment: parts.environment },
    )
    this.#refusals = new RefusalLog({
      ...parts,
      append: (audit) =>
        within(parts.clock, answerWithinMs, 'the state database', () =>
          shared.stores.work.commit(audited(audit)),
        ),
    })
    this.router = createRouter({
      ...shared,
      hosts: this.hosts,
      services: this.#services,
      controller: this.#controller,
      noteRefusal: (refusal) => this.noteRefusal(refusal),
      add: (release) => this.#controller.addRelease(release),
      workingDirectory: (name) => this.#services.find(name)?.definition.workingDirectory ?? null,
      evidence: (service, releaseId) => evidenceOf(shared.stores, service, releaseId),
    })
    this.live.put('config', parts.configStatus)
  }

  /** What must be on record before anyone asks; to be awaited before `start`. */
  prepare(): Promise<void> {
    return this.#services.prepare()
  }

  start(): void {
    this.hosts.start()
    const { loops } = this.parts.steering
    for (const loop of loops) this.#supervisor.add(loop)
    this.#services.start(this.#supervisor)
    this.#held.use(this.#controller)
    this.#held.use(this.#services)
    this.#held.use(this.status)
    this.status.start()
    const { epoch, notices, parts } = this
    void recordLaunch(
      { epoch, version: parts.version, startedAtMs: this.status.startedAtMs },
      { ...parts, notices },
    )
  }

  /** Takes a changed configuration into use without a restart. */
  applySettings(settings: EngineSettings): void {
    const isNewPace = settings.intervalMs !== this.#settings.intervalMs
    this.#settings = settings
    this.hosts.setLimits(settings.limits)
    this.status.set(settings)
    if (isNewPace) void this.#pacing.run(() => this.hosts.setInterval(settings.intervalMs))
  }

  /** What this engine steers from now on, on all that it shows. */
  applyEnvironment(environment: string): void {
    if (environment === this.status.environment) return
    this.hosts.setEnvironment(environment)
    this.#services.setEnvironment(environment)
    this.status.set({ environment })
  }

  /** Takes changed services into use; a deployment in progress keeps its plan. */
  configure(configured: Configured): Promise<void> {
    return this.#services.configure(configured)
  }

  /** Whether there is a service to run or to end. */
  get hasServices(): boolean {
    return this.#services.isNeeded
  }

  service(name: string): OperatedService | undefined {
    return this.#services.find(name)
  }

  /** Puts a refused order on record, under the service of the deployment where it names one. */
  noteRefusal(refusal: Refusal): Promise<void> {
    const { target } = refusal
    const deployment = this.live.get(`deployment:${target}`)
    return this.#refusals.note(
      deployment ? { ...refusal, target: deployment.service, text: `${target}: ${refusal.text}` } : refusal,
    )
  }

  services(): ServiceState[] {
    return this.#services.list()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hosts.end()
    await this.#supervisor.stop()
    await this.#held[Symbol.asyncDispose]()
    await this.#refusals.flush()
    await this.parts.telemetry.flush()
    await this.parts.journal.stopped(this.epoch, this.parts.clock.nowMs())
  }
}
