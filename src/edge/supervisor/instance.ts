import type { Socket } from 'node:net'
import type { Pool } from 'undici'
import { backoffMs, messageOf } from '../../base/index.ts'
import {
  releaseEnvironment,
  type HealthProbe,
  type Instance as InstanceShape,
  type Release,
  type Restart,
  type ServiceDefinition,
} from '../../contract/index.ts'
import type { Surroundings } from '../surroundings.ts'
import type { InstanceFailure } from '../counts/index.ts'
import { comesOfOurLack } from '../machine-lack.ts'
import type { InstanceRecord } from '../state/state.ts'
import { PassiveHealth } from './ejection.ts'
import { connectionsTo, type Connections, type LoopbackHost } from './connections.ts'
import { isDirectory, missingDirectory } from './directory.ts'
import { FailureCount } from './failure-count.ts'
import { probe } from './health-probe.ts'
import { askInstance, type InstanceOutcome } from './instance-probe.ts'
import type { InstanceLog } from './instance-log.ts'
import { accountFor, mayRunAs } from './account.ts'
import { ManagedProcess, type ProcessEnd } from './managed-process.ts'
import { contentMark, markOf } from './orphans.ts'
import type { PortBook } from './port-book.ts'
import type { PortOwners } from './port-owners.ts'
import { Slots } from './slots.ts'
import { askToEndByMark, endByMark, findByMark, isOfOtherEdge, type Mark } from './process-identity.ts'
import type { ProcessTable } from './process-table.ts'
import { isHung, megabytes, provenMs, repeated, restartBackoff } from './restart-policy.ts'
import { UsageWatch } from './usage-watch.ts'

export interface InstanceOptions extends Surroundings {
  id: string
  /** The real path of the edge's directory. */
  edgeDirectory: string
  ordinal: number
  release: Release
  /** Where it runs, absolute. */
  directory: () => string
  /** The one it is started for, which goes when this one is healthy. */
  replaces: Instance | null
  output: InstanceLog
  ports: PortBook
  processes: ProcessTable
  portOwners: PortOwners
  environment: Readonly<Record<string, string | undefined>>
  /** As it is now: definitions change while instances run. */
  definition: () => ServiceDefinition
  /** Whether it may be restarted for failing its health check: no more than one of a service at a time. */
  mayRecover: () => boolean
  /** State, pid or port are others than before. */
  onChange: () => void
  /** Counts against its release, e.g. `onFailure('crash')`. */
  onFailure: (failure: InstanceFailure) => void
  /**
   * To be on the disk before a process is started. Where the disk takes nothing the process starts nevertheless; the
   * mark in its environment is what it is found by then.
   */
  persist: () => Promise<unknown>
  /** Resolves when it is this edge that acts on processes: only one of two that hand over does. */
  acting: () => Promise<void>
  /** It has stopped for good. */
  onGone: (instance: Instance) => void
}

/** While it starts it is asked more often than its definition says. */
const startingProbeMs = 200

/** How often it is made sure that the port of a healthy instance is still its own. */
const ownedWithinMs = 10_000

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
  /** It was restarted for failing its health check and is not healthy yet. */
  isRecovering = false
  /** Of this process: what requests have shown of an earlier one says nothing of it. */
  passive = new PassiveHealth()
  readonly slots = new Slots()
  /** Its place among the instances of its release, which a replacement keeps. */
  readonly ordinal: number
  readonly #options: InstanceOptions
  readonly #tunnels = new Set<{ destroy(): unknown }>()
  #process: ManagedProcess | null = null
  #connections: Connections | null = null
  #host: LoopbackHost = '127.0.0.1'
  #startedAtMs = 0
  /** Monotonic: the last good check, or the start before the first. */
  #wellMs = 0
  /** Monotonic: when its port was last seen to be its own. */
  #ownedMs = -Infinity
  #healthySinceMs: number | null = null
  #restartCount = 0
  #lastRestart: Restart | null = null
  #failures = 0
  /** Ends in a row for being over its memory limit. */
  #overLimits = 0
  #usage: UsageWatch | null = null
  #successes = 0
  #misses = 0
  #isStopping = false
  #stopped: Promise<void> | null = null
  #starting: Promise<void> = Promise.resolve()
  #spawning: Promise<unknown> = Promise.resolve()
  /** Of what an earlier process has left behind. */
  #tidying: Promise<void> = Promise.resolve()
  #inFlightElsewhere = 0
  #isRestartPlanned = false
  readonly #failureCount: FailureCount
  #wasEverHealthy = false
  #ejection: Disposable | null = null
  #timer: Disposable | null = null
  #onIdle: (() => void) | null = null
  /** Each process has its own number: what an earlier one was waiting for is then recognised as past. */
  #generation = 0

  constructor(options: InstanceOptions) {
    this.#options = options
    this.id = options.id
    this.releaseId = options.release.id
    this.ordinal = options.ordinal
    this.#failureCount = new FailureCount(options.onFailure)
    const { replaces, clock } = options
    if (!replaces) return
    this.#restartCount = replaces.#restartCount + 1
    this.#lastRestart = {
      atMs: clock.nowMs(),
      reason: replaces.reason,
      ...(replaces.#isRestartPlanned ? { isPlanned: true } : {}),
    }
    // A replacement of one that was over its limit goes on counting.
    if (replaces.#overLimits === 0) return
    this.#failures = replaces.#isProven ? 1 : replaces.#failures + 1
    this.#overLimits = replaces.#isProven ? 1 : replaces.#overLimits
  }

  /** By which its processes are found. */
  get #mark(): Mark {
    return markOf(this.id, this.#options.edgeDirectory)
  }

  get weight(): number {
    return this.passive.weight * (this.#options.definition().routing.instanceWeights[this.ordinal] ?? 1)
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

  /** Where its requests go. Throws NoProcess while no process runs. */
  get pool(): Pool {
    if (!this.#connections) throw new NoProcess(this.id)
    return this.#connections.pool
  }

  /** Makes a connection for what outlives a request, such as a WebSocket. Fails with NoProcess while no process runs. */
  connect(done: (failure: Error | null, socket: Socket | null) => void): void {
    if (this.#connections) this.#connections.connect(done)
    else done(new NoProcess(this.id), null)
  }

  /** Whether it takes another request, or lets it wait. */
  get hasRoom(): boolean {
    return this.slots.hasRoom(this.#options.definition().limits)
  }

  get record(): InstanceRecord {
    return {
      id: this.id,
      releaseId: this.releaseId,
      port: this.port,
      ordinal: this.ordinal,
      host: this.#host,
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
      memoryBytes: this.#usage?.memoryBytes ?? null,
      cpuCores: this.#usage?.cpuCores ?? null,
      ...(this.#process?.logTrouble ? { logTrouble: this.#process.logTrouble } : {}),
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
    this.#wellMs = clock.monotonicMs()
    this.#healthySinceMs = null
    try {
      this.#options.ports.giveBack(this.port)
      this.port = await this.#options.ports.take()
      await persist()
      await this.#tidying
      if (this.#isStopping) return
      const directory = this.#options.directory()
      // The system would blame the program.
      if (!(await isDirectory(directory))) throw new Error(missingDirectory(directory))
      const account = accountFor(definition())
      const spawning = ManagedProcess.start(clock, {
        argv: release.artifact.argv.map((argument) => argument.replaceAll('{port}', String(this.port))),
        env: releaseEnvironment(environment, release, {
          service: definition().name,
          releaseId: release.id,
          instanceId: this.id,
          port: this.port,
          account,
          edge: { directory: this.#options.edgeDirectory, content: contentMark(release) },
        }),
        cwd: directory,
        account,
        stdoutPath: output.stdoutPath,
        stderrPath: output.stderrPath,
      })
      this.#spawning = spawning.catch(() => undefined)
      this.#take(await spawning)
    } catch (failure) {
      this.#crashed({ reason: messageOf(failure), isKill: false, isOurLack: comesOfOurLack(failure) })
    }
  }

  /** Takes up the process of an earlier edge, or starts one when it has gone. */
  async adopt(record: InstanceRecord): Promise<void> {
    const { clock, output } = this.#options
    this.port = record.port
    this.#host = record.host
    this.#options.ports.note(this.port)
    this.#startedAtMs = record.startedAtMs
    this.#wellMs = clock.monotonicMs()
    this.#restartCount = record.restartCount
    this.#lastRestart = record.lastRestart
    this.#isStopping = record.isStopping
    this.#wasEverHealthy = record.wasHealthy
    const process = await this.#findProcess(record)
    if (!process) {
      if (record.process && !record.isStopping) {
        this.#failed('crash')
        this.#restarted('ended while the edge was away')
      }
      this.#tidying = this.#endStrays()
      // Not waited for: it starts when this edge acts.
      if (!record.isStopping) void this.start()
      return
    }
    output.follow(process.pid)
    await output.read()
    this.state = record.isStopping ? 'draining' : record.wasHealthy ? 'healthy' : 'starting'
    if (record.wasHealthy) this.#healthySinceMs = clock.monotonicMs()
    this.#take(process)
  }

  async #findProcess(record: InstanceRecord): Promise<ManagedProcess | null> {
    const { clock } = this.#options
    const noted = record.process
    // A directory that was copied names instances of the edge that it was copied from.
    if (noted && !isOfOtherEdge(noted.pid, this.#options.edgeDirectory)) {
      const process = await ManagedProcess.adopt(clock, noted.pid, noted.identity)
      if (process) return process
    }
    // A start that is not on the disk: the edge was killed too early, or the disk took nothing. Each start has a port
    // of its own, which tells it from what the noted process has left behind.
    const started = findByMark(this.#mark)
      .filter(({ uid }) => mayRunAs(this.#options.definition(), uid))
      .map(({ pid, variables }) => ({ pid, port: Number(variables.get('PORT')) }))
      .find(({ port }) => !noted || port !== record.port)
    const process = started ? await ManagedProcess.adopt(clock, started.pid, null) : null
    if (started && process && started.port > 0 && started.port !== this.port) {
      this.#options.ports.giveBack(this.port)
      this.port = started.port
      this.#options.ports.note(this.port)
    }
    return process
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
    this.#failed('ejection')
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
    const connections = this.#connections
    this.#connections = null
    void connections?.pool.destroy(new InstanceStopped())
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
    askToEndByMark(this.#mark, pid)
    if (await process.stop(graceMs)) return
    this.#options.log.error('an instance runs on that could not be ended', { instance: this.id, pid })
  }

  /** What its processes have started outside of their group. */
  async #endStrays(): Promise<void> {
    await this.#options.acting()
    await endByMark(this.#options.clock, this.#mark)
  }

  /** Looks after its process no more: another edge does. What is under way goes on. */
  abandon(): void {
    this.#generation += 1
    this.#dropTimers()
  }

  /** Leaves the process running and forgets it: the edge ends. */
  release(): void {
    this.abandon()
    void this.#connections?.pool.destroy()
    this.#connections = null
  }

  #take(process: ManagedProcess): void {
    const generation = this.#generation
    const { onChange, output } = this.#options
    this.#process = process
    output.follow(process.pid)
    this.passive = new PassiveHealth()
    this.#connect()
    void process.ended.then((end) => {
      if (generation === this.#generation && !this.#isStopping) this.#crashed(end)
    })
    this.#successes = 0
    this.#misses = 0
    this.#ownedMs = -Infinity
    if (!this.#isStopping) {
      this.#probeSoon(0)
      this.#usage = new UsageWatch({
        ...this.#options,
        pid: process.pid,
        instanceId: this.id,
        limit: () => this.#options.definition().memoryLimitBytes,
        onOver: (bytes) => void this.#overLimit(bytes),
      })
    }
    onChange()
  }

  /** Requests go to where the process listens from now on; those under way end where they are. */
  #connect(): void {
    void this.#connections?.pool.close()
    this.#connections = connectionsTo(
      this.#host,
      this.port,
      () => this.#options.definition().timeouts.connectMs,
    )
  }

  /** Its process ended, and nobody here has asked for it. */
  #crashed({ reason, isKill, isOurLack }: ProcessEnd): void {
    const isOutOfMemory = isKill && (this.#usage?.hasMachineRunOutOfMemory ?? false)
    if (!isOurLack) this.#failed(isOutOfMemory ? 'oom_kill' : 'crash')
    this.#overLimits = 0
    this.isRecovering = false
    this.#ended(
      isOutOfMemory ? 'was killed by the kernel: the machine or its group ran out of memory' : reason,
    )
  }

  /** Restarts it in its place: it serves nobody, or has been over its limit before. */
  async #recycle(reason: string): Promise<void> {
    const process = this.#process
    if (!process || this.#isStopping) return
    this.#generation += 1
    const generation = this.#generation
    this.#dropTimers()
    this.state = 'unhealthy'
    this.reason = reason
    this.#options.log.warn('instance is restarted', { instance: this.id, reason })
    this.#options.onChange()
    await this.#options.acting()
    if (generation !== this.#generation) return
    await this.#end(process, this.#options.definition().graceMs)
    if (generation === this.#generation) this.#ended(reason)
  }

  async #overLimit(bytes: number): Promise<void> {
    const limit = this.#options.definition().memoryLimitBytes
    if (limit === null || this.isRetiring || this.#isStopping) return
    const { log, onChange } = this.#options
    this.#failed('oom_kill')
    this.#overLimits = this.#isProven ? 1 : this.#overLimits + 1
    log.warn('instance over its memory limit', { instance: this.id, bytes, limit })
    if (this.#overLimits > 1 || this.state !== 'healthy')
      return this.#recycle(repeated(`over its memory limit of ${megabytes(limit)}`, this.#overLimits))
    this.isRetiring = true
    this.reason = `uses ${megabytes(bytes)}, over its memory limit of ${megabytes(limit)}`
    onChange()
  }

  /** Another one takes its place as soon as it is healthy: somebody has asked for it. */
  retire(reason: string): void {
    this.isRetiring = true
    this.#isRestartPlanned = true
    this.reason = reason
    this.#options.onChange()
  }

  #failed(failure: InstanceFailure): void {
    this.#failureCount.failed(failure, this.#restartCount === 0 && !this.#wasEverHealthy)
  }

  /** It was healthy long enough for what happens next to have nothing to do with its start. */
  get #isProven(): boolean {
    return this.#healthySinceMs !== null && this.#wellMs - this.#healthySinceMs > provenMs
  }

  #ended(reason: string): void {
    const { clock, rng, log, onChange } = this.#options
    if (this.#isStopping) return
    this.#dropTimers()
    this.#generation += 1
    this.#usage = null
    this.#tidying = this.#endStrays()
    this.#process = null
    void this.#connections?.pool.destroy()
    this.#connections = null
    this.#failures = this.#isProven ? 1 : this.#failures + 1
    const delayMs = backoffMs(this.#failures, restartBackoff, rng.next())
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
    const { host, outcome } = await askInstance(this.#host, (at) => this.#ask(at, health))
    if (generation !== this.#generation || this.#isStopping) return
    if (host !== this.#host) {
      this.#host = host
      this.#connect()
    }
    if (outcome.kind !== 'unknown') this.#judge(outcome.kind === 'well' ? null : outcome.why, health)
    // What the edge could not find out for want of its own resources says nothing about the instance.
    const why = outcome.kind === 'well' || outcome.kind === 'unknown' ? '' : outcome.why
    if (why !== '' && this.#isHungFor(health) && this.#mayRecover()) {
      if (this.state === 'starting') this.#failed('health')
      this.isRecovering = true
      void this.#recycle(`hung: ${this.reason || why}`)
      return
    }
    this.#probeSoon(
      this.state === 'starting' ? Math.min(startingProbeMs, health.intervalMs) : health.intervalMs,
    )
  }

  async #ask(host: LoopbackHost, health: HealthProbe): Promise<InstanceOutcome> {
    const outcome = await probe({ ...health, address: host, port: this.port })
    // Whoever listens there next may be somebody else.
    if (outcome.kind === 'refused') this.#ownedMs = -Infinity
    if (outcome.kind === 'refused' || outcome.kind === 'unknown') return outcome
    const nowMs = this.#options.clock.monotonicMs()
    const isKnown = this.state === 'healthy' && host === this.#host && nowMs - this.#ownedMs < ownedWithinMs
    if (isKnown) return outcome
    try {
      const why = await this.#options.portOwners.trouble(host, this.port, this.#process?.pid ?? 0)
      this.#ownedMs = why === '' ? nowMs : -Infinity
      return why === '' ? outcome : { kind: 'foreign', why }
    } catch (failure) {
      return { kind: 'unknown', why: messageOf(failure) }
    }
  }

  #isHungFor(health: HealthProbe): boolean {
    if (this.state !== 'starting' && this.state !== 'unhealthy') return false
    return isHung(this.state, this.#options.clock.monotonicMs() - this.#wellMs, health)
  }

  /** One that was restarted and hangs again makes room for the next first. */
  #mayRecover(): boolean {
    this.isRecovering = false
    return !this.isRetiring && this.#options.mayRecover()
  }

  #judge(trouble: string | null, { rise, fall }: HealthProbe): void {
    const before = `${this.state} ${this.reason}`
    if (trouble === null) {
      this.#misses = 0
      this.#successes += 1
      this.#wellMs = this.#options.clock.monotonicMs()
      this.passive.recover()
      if (this.state !== 'healthy' && this.#successes >= rise) {
        this.state = 'healthy'
        this.reason = ''
        this.#healthySinceMs = this.#wellMs
        this.#wasEverHealthy = true
        this.isRecovering = false
      }
    } else {
      this.#successes = 0
      this.#misses += 1
      if (this.state === 'starting') this.reason = trouble
      else if (this.#misses >= fall) {
        if (this.state === 'healthy') this.#failed('health')
        this.state = 'unhealthy'
        this.reason = trouble
      }
    }
    if (`${this.state} ${this.reason}` !== before) this.#options.onChange()
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
    for (const timer of [this.#timer, this.#usage, this.#ejection]) timer?.[Symbol.dispose]()
    this.#timer = this.#ejection = null
  }
}

/** There is no process to connect to. */
class NoProcess extends Error {
  readonly code = 'ECONNREFUSED'

  constructor(id: string) {
    super(`${id} has no process.`)
  }
}

/** What requests fail with that an instance had not answered when its drain time was over. */
export class InstanceStopped extends Error {
  constructor() {
    super('The instance was stopped before it answered.')
  }
}
