import { Pool } from 'undici'
import type {
  HealthProbe,
  Instance as InstanceShape,
  Release,
  Restart,
  ServiceDefinition,
} from '../../contract/index.ts'
import type { Surroundings } from '../clock.ts'
import { messageOf } from '../failure.ts'
import type { Limits } from '../limits.ts'
import type { InstanceRecord } from '../state/state.ts'
import { restartDelayMs } from './backoff.ts'
import { PassiveHealth } from './ejection.ts'
import { environmentOf, markOf } from './environment.ts'
import { probe } from './health-probe.ts'
import type { InstanceLog } from './instance-log.ts'
import { ManagedProcess } from './managed-process.ts'
import type { PortBook } from './port-book.ts'
import { endByVariable, findByVariable, memoryOf, signalByVariable } from './process-identity.ts'

export interface InstanceOptions extends Surroundings {
  id: string
  release: Release
  /** The one it is started for, which goes when this one is healthy. */
  replaces: Instance | null
  limits: Limits
  output: InstanceLog
  ports: PortBook
  environment: Readonly<Record<string, string | undefined>>
  /** As it is now: definitions change while instances run. */
  definition: () => ServiceDefinition
  /** State, pid or port are others than before. */
  onChange: () => void
  /** Must be on the disk before a process is started, so that no process is ever forgotten. */
  persist: () => Promise<void>
  /** Resolves when it is this edge that acts on processes: only one of two that hand over does. */
  acting: () => Promise<void>
  /** It has stopped for good. */
  onGone: (instance: Instance) => void
}

/** An instance that lived this long starts its backoff anew. */
const provenMs = 30_000
/** While it starts it is asked more often than its definition says. */
const startingProbeMs = 200
const memoryEveryMs = 1000

/**
 * One running copy of a release: its process, its health, its connections. It restarts its process when that ends,
 * until it is told to stop.
 */
export class Instance {
  readonly id: string
  readonly releaseId: string
  state: InstanceShape['state'] = 'starting'
  reason = ''
  port = 0
  inFlight = 0
  /** Takes requests until its replacement is healthy, then drains. */
  isRetiring = false
  /** Of this process: what requests have shown of an earlier one says nothing of it. */
  passive = new PassiveHealth()
  readonly #options: InstanceOptions
  readonly #tunnels = new Set<{ destroy(): unknown }>()
  #process: ManagedProcess | null = null
  #pool: Pool | null = null
  #startedAtMs = 0
  #startedMs = 0
  #restartCount = 0
  #lastRestart: Restart | null = null
  #failures = 0
  #memoryBytes: number | null = null
  #successes = 0
  #misses = 0
  #isStopping = false
  #stopped: Promise<void> | null = null
  #starting: Promise<void> = Promise.resolve()
  #spawning: Promise<unknown> = Promise.resolve()
  /** Of what an earlier process has left behind. */
  #tidying: Promise<void> = Promise.resolve()
  #inFlightElsewhere = 0
  #ejection: Disposable | null = null
  #timer: Disposable | null = null
  #memoryTimer: Disposable | null = null
  #onIdle: (() => void) | null = null
  /** Each process has its own number: what an earlier one was waiting for is then recognised as past. */
  #generation = 0

  constructor(options: InstanceOptions) {
    this.#options = options
    this.id = options.id
    this.releaseId = options.release.id
    const { replaces, clock } = options
    if (!replaces) return
    this.#restartCount = replaces.#restartCount + 1
    this.#lastRestart = { atMs: clock.nowMs(), reason: replaces.reason }
  }

  get weight(): number {
    return this.passive.weight
  }

  get isUsable(): boolean {
    return this.state === 'healthy' && this.#ejection === null
  }

  get isEjected(): boolean {
    return this.#ejection !== null
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Where its requests go. Throws while no process runs: callers take usable instances only. */
  get pool(): Pool {
    if (!this.#pool) throw new Error(`${this.id} has no process`)
    return this.#pool
  }

  get record(): InstanceRecord {
    return {
      id: this.id,
      releaseId: this.releaseId,
      port: this.port,
      process: this.#process && { pid: this.#process.pid, identity: this.#process.identity },
      startedAtMs: this.#startedAtMs,
      restartCount: this.#restartCount,
      lastRestart: this.#lastRestart,
      wasHealthy: this.state === 'healthy',
      isStopping: this.#isStopping,
    }
  }

  get shape(): InstanceShape {
    return {
      id: this.id,
      releaseId: this.releaseId,
      state: this.isEjected && this.state === 'healthy' ? 'unhealthy' : this.state,
      reason: this.reason,
      pid: this.#process?.pid ?? null,
      port: this.port,
      startedAtMs: this.#startedAtMs,
      restartCount: this.#restartCount,
      lastRestart: this.#lastRestart,
      inFlight: this.inFlight + this.#inFlightElsewhere,
      memoryBytes: this.#memoryBytes,
    }
  }

  /** Starts a process. Never rejects: what cannot start is down, and is tried again. */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { release, output, definition, persist, environment, clock } = this.#options
    this.#generation += 1
    this.state = 'starting'
    this.#startedAtMs = clock.nowMs()
    this.#startedMs = clock.monotonicMs()
    try {
      this.#options.ports.giveBack(this.port)
      this.port = await this.#options.ports.take()
      await persist()
      await this.#tidying
      if (this.#isStopping) return
      const spawning = ManagedProcess.start(clock, {
        argv: release.artifact.argv.map((argument) => argument.replaceAll('{port}', String(this.port))),
        env: environmentOf(environment, release, {
          service: definition().name,
          releaseId: release.id,
          instanceId: this.id,
          port: this.port,
        }),
        cwd: release.artifact.cwd,
        stdoutPath: output.stdoutPath,
        stderrPath: output.stderrPath,
      })
      this.#spawning = spawning.catch(() => undefined)
      this.#take(await spawning)
    } catch (failure) {
      this.#ended(messageOf(failure))
    }
  }

  /** Takes up the process of an earlier edge, or starts one when it has gone. */
  async adopt(record: InstanceRecord): Promise<void> {
    const { clock, output } = this.#options
    this.port = record.port
    this.#options.ports.note(this.port)
    this.#startedAtMs = record.startedAtMs
    this.#startedMs = clock.monotonicMs()
    this.#restartCount = record.restartCount
    this.#lastRestart = record.lastRestart
    this.#isStopping = record.isStopping
    const pid = record.process?.pid ?? (await findByVariable(markOf(this.id)))
    const process =
      pid === null ? null : await ManagedProcess.adopt(clock, pid, record.process?.identity ?? null)
    if (!process) {
      if (record.process && !record.isStopping) this.#restarted('ended while the edge was away')
      this.#tidying = this.#endStrays()
      // Not waited for: it starts when this edge acts.
      if (!record.isStopping) void this.start()
      return
    }
    await output.read()
    this.state = record.isStopping ? 'draining' : record.wasHealthy ? 'healthy' : 'starting'
    this.#take(process)
  }

  /** Resolves when a start that has begun has given its process. */
  get spawning(): Promise<unknown> {
    return this.#spawning
  }

  /** Requests that an edge before this one still has here: it is not stopped under their feet. */
  set inFlightElsewhere(count: number) {
    this.#inFlightElsewhere = count
    if (this.#isIdle) this.#onIdle?.()
  }

  get #isIdle(): boolean {
    return this.inFlight + this.#inFlightElsewhere === 0
  }

  /** A request has begun. */
  begin(): void {
    this.inFlight += 1
  }

  /** A request has ended. */
  end(): void {
    this.inFlight -= 1
    if (this.#isIdle) this.#onIdle?.()
  }

  /** Keeps a connection that outlives its request: it is cut when the instance stops. */
  hold(tunnel: { destroy(): unknown }): Disposable {
    this.#tunnels.add(tunnel)
    this.begin()
    return {
      [Symbol.dispose]: () => {
        if (this.#tunnels.delete(tunnel)) this.end()
      },
    }
  }

  /** Takes no requests for a while: requests have shown that it fails. */
  eject(): void {
    if (this.#ejection) return
    const { clock, onChange } = this.#options
    const forMs = this.passive.eject()
    this.reason = `ejected for ${forMs / 1000} s: 5 requests in a row failed`
    this.#ejection = clock.after(forMs, () => {
      this.#ejection = null
      this.reason = ''
      onChange()
    })
    onChange()
  }

  /** No new requests; those under way may end within `drainMs`, then the process is stopped. Once. */
  stop(drainMs: number, graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(drainMs, graceMs)
    return this.#stopped
  }

  async #stop(drainMs: number, graceMs: number): Promise<void> {
    const { clock, onChange, onGone, output } = this.#options
    this.#isStopping = true
    this.state = 'draining'
    this.#dropTimers()
    onChange()
    await this.#options.acting()
    await this.#idle(drainMs)
    for (const tunnel of [...this.#tunnels]) tunnel.destroy()
    const pool = this.#pool
    this.#pool = null
    void pool?.destroy(new InstanceStopped())
    await this.#starting
    if (this.#process) await this.#end(this.#process, graceMs)
    await this.#endStrays()
    await output.read()
    this.state = 'down'
    this.#options.ports.giveBack(this.port)
    this.#options.log.info('instance stopped', { instance: this.id, atMs: clock.nowMs() })
    onGone(this)
  }

  async #end(process: ManagedProcess, graceMs: number): Promise<void> {
    const { pid } = process
    // What has left its group is asked to end, too; its own would be asked twice.
    const [isEnded] = await Promise.all([
      process.stop(graceMs),
      signalByVariable(markOf(this.id), 'SIGTERM', pid),
    ])
    if (isEnded) return
    this.#options.log.error('an instance runs on that could not be ended', { instance: this.id, pid })
  }

  /** What its processes have started outside of their group. */
  async #endStrays(): Promise<void> {
    await this.#options.acting()
    await endByVariable(markOf(this.id))
  }

  /** Looks after its process no more: another edge does. What is under way goes on. */
  abandon(): void {
    this.#generation += 1
    this.#dropTimers()
  }

  /** Leaves the process running and forgets it: the edge ends. */
  release(): void {
    this.abandon()
    void this.#pool?.destroy()
    this.#pool = null
  }

  #take(process: ManagedProcess): void {
    const generation = this.#generation
    const { limits, onChange } = this.#options
    this.#process = process
    this.passive = new PassiveHealth()
    this.#pool = new Pool(`http://127.0.0.1:${this.port}`, {
      pipelining: 1,
      connect: { timeout: limits.connectMs },
      headersTimeout: limits.answerMs,
      bodyTimeout: limits.answerIdleMs,
      // Shorter than the 5 s after which Node servers close: whoever closes first cannot lose a request.
      keepAliveTimeout: 4000,
      allowH2: false,
    })
    void process.ended.then((reason) => {
      if (generation === this.#generation && !this.#isStopping) this.#ended(reason)
    })
    this.#successes = 0
    this.#misses = 0
    if (!this.#isStopping) {
      this.#probeSoon(0)
      this.#memoryTimer = this.#options.clock.every(memoryEveryMs, () => void this.#watchMemory())
    }
    onChange()
  }

  #ended(reason: string): void {
    const { clock, rng, log, onChange } = this.#options
    if (this.#isStopping) return
    this.#dropTimers()
    this.#generation += 1
    this.#tidying = this.#endStrays()
    this.#process = null
    void this.#pool?.destroy()
    this.#pool = null
    this.#memoryBytes = null
    this.#failures = clock.monotonicMs() - this.#startedMs > provenMs ? 1 : this.#failures + 1
    const delayMs = restartDelayMs(this.#failures, rng.next())
    this.state = 'down'
    this.reason = `${reason}; starts again in ${(delayMs / 1000).toFixed(1)} s`
    log.warn('instance down', { instance: this.id, reason: this.reason })
    this.#timer = clock.after(delayMs, () => {
      this.#restarted(reason)
      this.reason = reason
      void this.start()
    })
    onChange()
  }

  #restarted(reason: string): void {
    this.#restartCount += 1
    this.#lastRestart = { atMs: this.#options.clock.nowMs(), reason }
  }

  #probeSoon(delayMs: number): void {
    const generation = this.#generation
    this.#timer = this.#options.clock.after(delayMs, () => void this.#probe(generation))
  }

  async #probe(generation: number): Promise<void> {
    const { health } = this.#options.definition()
    const trouble = await probe(this.port, health.path, health.timeoutMs)
    if (generation !== this.#generation || this.#isStopping) return
    this.#judge(trouble, health)
    this.#probeSoon(
      this.state === 'starting' ? Math.min(startingProbeMs, health.intervalMs) : health.intervalMs,
    )
  }

  #judge(trouble: string | null, { rise, fall }: HealthProbe): void {
    const before = `${this.state} ${this.reason}`
    if (trouble === null) {
      this.#misses = 0
      this.#successes += 1
      this.passive.recover()
      if (this.state !== 'healthy' && this.#successes >= rise) {
        this.state = 'healthy'
        this.reason = ''
      }
    } else {
      this.#successes = 0
      this.#misses += 1
      if (this.state === 'starting') this.reason = trouble
      else if (this.#misses >= fall) {
        this.state = 'unhealthy'
        this.reason = trouble
      }
    }
    if (`${this.state} ${this.reason}` !== before) this.#options.onChange()
  }

  async #watchMemory(): Promise<void> {
    const pid = this.#process?.pid
    if (pid === undefined) return
    this.#memoryBytes = await memoryOf(pid)
    const limit = this.#options.definition().memoryLimitBytes
    if (limit === null || this.#memoryBytes === null || this.#memoryBytes <= limit || this.isRetiring) return
    this.isRetiring = true
    this.reason = `uses ${megabytes(this.#memoryBytes)}, above its limit of ${megabytes(limit)}`
    this.#options.log.warn('instance above its memory limit', { instance: this.id, reason: this.reason })
    this.#options.onChange()
  }

  #idle(timeoutMs: number): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(timeoutMs, () => this.#onIdle?.())
      this.#onIdle = () => {
        timer[Symbol.dispose]()
        this.#onIdle = null
        resolve()
      }
    })
  }

  #dropTimers(): void {
    for (const timer of [this.#timer, this.#memoryTimer, this.#ejection]) timer?.[Symbol.dispose]()
    this.#timer = this.#memoryTimer = this.#ejection = null
  }
}

/** What requests fail with that an instance had not answered when its drain time was over. */
export class InstanceStopped extends Error {
  constructor() {
    super('The instance was stopped before it answered.')
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
