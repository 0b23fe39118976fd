import { Disposables, SerialQueue, type Result, type Clock, type Log, type Rng } from '../base/index.ts'
import {
  passedCheck,
  type Bin,
  type ConfigStatus,
  type ConfigEntries,
  type LiveDiff,
  type ReadinessCheck,
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
  type HookRunner,
  type HeadroomLook,
  type Validator,
} from './deployments/index.ts'
import { HostRegistry } from './hosts/index.ts'
import { NoticeBoard, type Journal } from './journal/index.ts'
import type { Stores } from './stores.ts'
import {
  serviceHealth,
  Services,
  type Configured,
  type Equip,
  type Declaration,
  type OperatedService,
} from './services/index.ts'
import { SampleFeed } from './live/index.ts'
import { combineHealth, type Limits, type MetricSource, type TelemetryStore } from './telemetry/index.ts'

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

/** How often what has no loop of its own is looked at: silent hosts, readiness. */
const watchEveryMs = 1000
/** Changes of this time go into one new health of the whole. */
const healthWithinMs = 100

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
  readonly #services: Services
  readonly #controller: DeploymentController
  readonly #refusals: RefusalLog
  readonly #supervisor: Supervisor
  readonly #held = new Disposables()
  readonly #startedAtMs: number
  #settings: EngineSettings
  #environment: string
  readonly #pacing = new SerialQueue()
  #healthTimer: Disposable | undefined

  constructor(parts: EngineParts) {
    this.parts = parts
    this.epoch = parts.rng.hex(8)
    this.#settings = parts.settings
    this.#environment = parts.environment
    this.#startedAtMs = parts.clock.nowMs()
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
    this.#held.use(this.#supervisor.subscribe(() => this.#showStatus()))
    this.#held.use(this.parts.clock.every(watchEveryMs, () => this.#look()))
    this.#held.defer(() => this.#healthTimer?.[Symbol.dispose]())
    this.#held.use(this.live.subscribe((diff) => this.#heedChanges(diff)))
    this.#showStatus()
    void this.#openJournal()
  }

  /** Takes a changed configuration into use without a restart. */
  applySettings(settings: EngineSettings): void {
    const isNewPace = settings.intervalMs !== this.#settings.intervalMs
    this.#settings = settings
    this.hosts.setLimits(settings.limits)
    this.#showStatus()
    if (isNewPace) void this.#pacing.run(() => this.hosts.setInterval(settings.intervalMs))
  }

  /** What this engine steers from now on, on all that it shows. */
  applyEnvironment(environment: string): void {
    if (environment === this.#environment) return
    this.#environment = environment
    this.hosts.setEnvironment(environment)
    this.#services.setEnvironment(environment)
    this.#showStatus()
  }

  get environment(): string {
    return this.#environment
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

  /** The engine's own checks, and whether what it watches is well enough to be called ready. */
  readiness(): ReadinessCheck[] {
    const health = this.live.get('health')
    const { minHealthScore } = this.#settings
    const worst = health?.reasons[0]
    const score = health?.score ?? null
    const isWell = score === null || score >= minHealthScore
    const down = this.#services
      .list()
      .flatMap(({ name, concerns }) =>
        concerns.filter(({ severity }) => severity === 'critical').map((concern) => ({ name, ...concern })),
      )
    const [first] = down
    return [
      ...this.checks(),
      check(
        'health',
        isWell,
        `health ${score ?? 'unknown'}, below ${minHealthScore}${worst ? `: ${worst.text}` : ''}`,
        worst?.sinceMs ?? this.#startedAtMs,
      ),
      check(
        'services',
        !first,
        first ? `${first.name}: ${first.text}` : '',
        first?.sinceMs ?? this.#startedAtMs,
      ),
    ]
  }

  /** What must hold for this engine to be relied on, each with its reason. */
  checks(): ReadinessCheck[] {
    const telemetry = this.parts.telemetry.status()
    const state = this.parts.journal.status()
    return [
      ...this.#supervisor.checks(),
      check('telemetry database', telemetry.isWritable, telemetry.reason, this.#startedAtMs),
      check('state database', state.isWritable, state.reason, state.sinceMs),
      ...(this.parts.concerns ?? []).map(({ name, text }) => check(name, false, text, this.#startedAtMs)),
      ...this.hosts.checks(this.#startedAtMs),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hosts.end()
    await this.#supervisor.stop()
    await this.#held[Symbol.asyncDispose]()
    await this.#refusals.flush()
    await this.parts.telemetry.flush()
    await this.parts.journal.stopped(this.epoch, this.parts.clock.nowMs())
  }

  async #openJournal(): Promise<void> {
    const { journal, clock, version } = this.parts
    await this.notices.load()
    await journal.launched({ epoch: this.epoch, version, startedAtMs: this.#startedAtMs })
    const before = await journal.launchBefore(this.epoch)
    const wasKilled = before.ok && before.value !== null && before.value.stoppedAtMs === null
    this.notices.post(
      wasKilled
        ? {
            severity: 'warning',
            text: 'The engine started again after a run that ended without shutting down',
            link: '/settings/about',
          }
        : { severity: 'info', text: `The engine started, version ${version}`, link: '/settings/about' },
    )
    this.parts.log.info('engine started', { epoch: this.epoch, atMs: clock.nowMs() })
  }

  #look(): void {
    this.hosts.tick()
    this.#showHealth()
    this.#showStatus()
  }

  #heedChanges({ put, removed }: LiveDiff): void {
    if (this.#healthTimer) return
    if (![...Object.keys(put), ...removed].some((key) => /^(hostState|service):/.test(key))) return
    this.#healthTimer = this.parts.clock.after(healthWithinMs, () => {
      this.#healthTimer = undefined
      this.#showHealth()
    })
  }

  #showHealth(): void {
    const services = this.#services.list().flatMap(({ name, concerns, stableReleaseId, weights }) => {
      const health = serviceHealth(
        name,
        concerns,
        stableReleaseId !== null || Object.keys(weights).length > 0,
      )
      return health ? [{ health, lastScore: health.score }] : []
    })
    const whole = combineHealth([...this.hosts.health(), ...services])
    this.live.put('health', { ...whole, newestSampleMs: this.hosts.newestSampleMs() })
  }

  #showStatus(): void {
    const checks = this.checks()
    const shown = this.live.get('engine')
    const { timeZone } = this.#settings
    const { dataDirectory } = this.parts
    const isSame = shown?.environment === this.#environment && shown.timeZone === timeZone
    if (isSame && JSON.stringify(shown.checks) === JSON.stringify(checks)) return
    this.live.put('engine', {
      version: this.parts.version,
      environment: this.#environment,
      timeZone,
      startedAtMs: this.#startedAtMs,
      ...(dataDirectory === undefined ? {} : { dataDirectory }),
      checks,
    })
  }
}

const check = (name: string, ok: boolean, reason: string, sinceMs: number): ReadinessCheck => ({
  name,
  ok,
  text: ok ? passedCheck : reason,
  sinceMs,
})

/** Counts of the newest deployments that a release took part in, newest first. */
async function* evidenceOf(
  { deployments, evidence }: Pick<Stores, 'deployments' | 'evidence'>,
  service: string,
  releaseId: string,
): AsyncGenerator<Result<Bin[]>, void> {
  const found = await deployments.list({ service, releaseId, limit: 5 })
  if (!found.ok) {
    yield found
    return
  }
  for (const { id } of found.value) yield await evidence.binsOf(id)
}
