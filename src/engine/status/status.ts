import { Disposables, type Clock } from '../../base/index.ts'
import { passedCheck, type LiveDiff, type ReadinessCheck, type TimeZoneName } from '../../contract/index.ts'
import type { LiveStore, Supervisor } from '../core/index.ts'
import type { HostRegistry } from '../hosts/index.ts'
import type { Journal } from '../journal/index.ts'
import { serviceHealth, type Services } from '../services/index.ts'
import { combineHealth, type TelemetryStore } from '../telemetry/index.ts'

/** How often silent hosts and readiness are checked, ms. */
const watchEveryMs = 1000
/** Changes within this time go into one new health of the whole, ms. */
const healthWithinMs = 100

export interface StatusSettings {
  environment: string
  /** Health of the whole below which readiness fails, 0 to 100. */
  minHealthScore: number
  /** In which zone screens and command line show times, unless a viewer chooses another. */
  timeZone: TimeZoneName
}

export interface StatusParts {
  clock: Clock
  live: LiveStore
  hosts: HostRegistry
  services: Services
  supervisor: Supervisor
  telemetry: Pick<TelemetryStore, 'status'>
  journal: Pick<Journal, 'status'>
  version: string
  /** Shown on screens, whose commands for a terminal name it. */
  dataDirectory?: string | undefined
  /** What was wrong when the engine was opened, until the next launch: shown as failed readiness checks. */
  concerns?: readonly { name: string; text: string }[] | undefined
}

/** How well the engine and all that it watches are: health of the whole, checks, readiness. Keeps the live state current. */
export class EngineStatus implements AsyncDisposable {
  readonly #parts: StatusParts
  readonly #held = new Disposables()
  readonly #startedAtMs: number
  #settings: StatusSettings
  #healthTimer: Disposable | undefined

  constructor(parts: StatusParts, settings: StatusSettings) {
    this.#parts = parts
    this.#settings = settings
    this.#startedAtMs = parts.clock.nowMs()
  }

  get startedAtMs(): number {
    return this.#startedAtMs
  }

  get environment(): string {
    return this.#settings.environment
  }

  start(): void {
    const { clock, live, supervisor } = this.#parts
    this.#held.use(supervisor.subscribe(() => this.#showStatus()))
    this.#held.use(clock.every(watchEveryMs, () => this.#look()))
    this.#held.defer(() => this.#healthTimer?.[Symbol.dispose]())
    this.#held.use(live.subscribe((diff) => this.#heedChanges(diff)))
    this.#showStatus()
  }

  /** Takes changed settings into use. */
  set(settings: Partial<StatusSettings>): void {
    this.#settings = { ...this.#settings, ...settings }
    this.#showStatus()
  }

  /** The engine's own checks, and whether what it watches is well enough to be called ready. */
  readiness(): ReadinessCheck[] {
    const health = this.#parts.live.get('health')
    const { minHealthScore } = this.#settings
    const worst = health?.reasons[0]
    const score = health?.score ?? null
    const isWell = score === null || score >= minHealthScore
    const down = this.#parts.services
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
    const telemetry = this.#parts.telemetry.status()
    const state = this.#parts.journal.status()
    return [
      ...this.#parts.supervisor.checks(),
      check('telemetry database', telemetry.isWritable, telemetry.reason, this.#startedAtMs),
      check('state database', state.isWritable, state.reason, state.sinceMs),
      ...(this.#parts.concerns ?? []).map(({ name, text }) => check(name, false, text, this.#startedAtMs)),
      ...this.#parts.hosts.checks(this.#startedAtMs),
    ]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#held[Symbol.asyncDispose]()
  }

  #look(): void {
    this.#parts.hosts.tick()
    this.#showHealth()
    this.#showStatus()
  }

  #heedChanges({ put, removed }: LiveDiff): void {
    if (this.#healthTimer) return
    if (![...Object.keys(put), ...removed].some((key) => /^(hostState|service):/.test(key))) return
    this.#healthTimer = this.#parts.clock.after(healthWithinMs, () => {
      this.#healthTimer = undefined
      this.#showHealth()
    })
  }

  #showHealth(): void {
    const services = this.#parts.services.list().flatMap(({ name, concerns, stableReleaseId, weights }) => {
      const health = serviceHealth(
        name,
        concerns,
        stableReleaseId !== null || Object.keys(weights).length > 0,
      )
      return health ? [{ health, lastScore: health.score }] : []
    })
    const whole = combineHealth([...this.#parts.hosts.health(), ...services])
    this.#parts.live.put('health', { ...whole, newestSampleMs: this.#parts.hosts.newestSampleMs() })
  }

  #showStatus(): void {
    const checks = this.checks()
    const shown = this.#parts.live.get('engine')
    const { environment, timeZone } = this.#settings
    const { dataDirectory } = this.#parts
    const isSame = shown?.environment === environment && shown.timeZone === timeZone
    if (isSame && JSON.stringify(shown.checks) === JSON.stringify(checks)) return
    this.#parts.live.put('engine', {
      version: this.#parts.version,
      environment,
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
