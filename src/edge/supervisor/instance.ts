import type { Socket } from 'node:net'
import type { Pool } from 'undici'
import { assertNever, backoffMs, messageOf } from '../../base/index.ts'
import { duration, releaseEnvironment, type HealthProbe, type EdgeInstance } from '../../contract/index.ts'
import { comesOfOurLack } from '../machine/index.ts'
import type { InstanceFailure } from '../counts/index.ts'
import type { InstanceRecord } from '../state/index.ts'
import { PassiveHealth } from './ejection.ts'
import { connectionsTo, type Connections, type LoopbackHost } from './connections.ts'
import { isDirectory, missingDirectory } from './directory.ts'
import { CheckedHealth } from './checked-health.ts'
import { FailureCount } from './failure-count.ts'
import { findProcess } from './find-process.ts'
import { probe } from './health-probe.ts'
import { askInstance, type InstanceOutcome } from './instance-probe.ts'
import type { Life, Running } from './instance-life.ts'
import type { InstanceOptions } from './instance-options.ts'
import { accountFor } from './account.ts'
import { ManagedProcess, type ProcessEnd } from './managed-process.ts'
import { contentMark, markOf } from './orphans.ts'
import { RequestSlots } from './slots.ts'
import { askToEndByMark, endByMark, type Mark } from './process-identity.ts'
import { RequestLoad } from './request-load.ts'
import { megabytes, repeated, restartBackoff } from './restart-policy.ts'
import { Restarts } from './restarts.ts'
import { UsageWatch } from './usage-watch.ts'

/** A starting instance is checked more often than its definition says. */
const startingProbeMs = 200

/** How long an instance over its memory limit, which gets no new requests, may answer those it has. */
const overLimitDrainMs = 3000

/** How often the port of a healthy instance is verified to be its own. */
const ownedWithinMs = 10_000
/** How long an edge before this one takes at most to cut its requests and say so. */
const cutElsewhereWithinMs = 1000

/**
 * One running copy of a release: its process, its health, its connections. It restarts its process when that ends,
 * until it is told to stop.
 */
export class Instance {
  readonly id: string
  readonly releaseId: string
  reason = ''
  port = 0
  /** Of this process; outcomes at an earlier one do not count. */
  passive = new PassiveHealth()
  readonly slots = new RequestSlots()
  /** Its place among the instances of its release, which a replacement keeps. */
  readonly ordinal: number
  readonly #options: InstanceOptions
  readonly #load = new RequestLoad()
  readonly #restarts = new Restarts()
  readonly #failureCount: FailureCount
  #life: Life
  #host: LoopbackHost = '127.0.0.1'
  #startedAtMs = 0
  #wasEverHealthy = false
  /** It takes requests until its replacement is healthy. `planned`: a person ordered that. */
  #retirement: 'planned' | 'over its limit' | null = null
  #isRecovering = false
  /** Another edge manages its process, so this one does not act on it. */
  #isAbandoned = false
  #stopped: Promise<void> | null = null
  #starting: Promise<void> = Promise.resolve()
  #spawning: Promise<unknown> = Promise.resolve()
  /** Leftovers of an earlier process. */
  #tidying: Promise<void> = Promise.resolve()

  /** `replaces` is the instance it replaces, which stops when this one is healthy. */
  constructor(options: InstanceOptions, replaces: Instance | null) {
    this.#options = options
    this.id = options.id
    this.releaseId = options.release.id
    this.ordinal = options.ordinal
    this.#failureCount = new FailureCount(options.onFailure)
    const { clock } = options
    this.#life = { kind: 'starting', sinceMs: clock.monotonicMs() }
    if (!replaces) return
    this.#restarts.follow(replaces.#restarts, replaces.#isProven, {
      atMs: clock.nowMs(),
      reason: replaces.reason,
      ...(replaces.#retirement === 'planned' ? { isPlanned: true } : {}),
    })
  }

  get state(): EdgeInstance['state'] {
    const life = this.#life
    switch (life.kind) {
      case 'starting':
        return 'starting'
      case 'running':
        return life.health.state
      case 'recycling':
        return 'unhealthy'
      case 'stopping':
        return 'draining'
      case 'down':
      case 'gone':
        return 'down'
      default:
        return assertNever(life)
    }
  }

  /** The mark by which its processes are found. */
  get #mark(): Mark {
    return markOf(this.id, this.#options.edgeDirectory)
  }

  get weight(): number {
    return this.passive.weight * (this.#options.definition().routing.instanceWeights[this.ordinal] ?? 1)
  }

  get isUsable(): boolean {
    return this.state === 'healthy' && !this.isEjected
  }

  get isEjected(): boolean {
    return this.#life.kind === 'running' && this.#life.ejection !== null
  }

  get isStopping(): boolean {
    return this.#life.kind === 'stopping' || this.#life.kind === 'gone'
  }

  /** Takes requests until its replacement is healthy, then drains. */
  get isRetiring(): boolean {
    return this.#retirement !== null
  }

  /** Whether it was restarted for failing its health check and is not healthy yet. */
  get isRecovering(): boolean {
    return this.#isRecovering
  }

  /** Requests in progress through this edge. */
  get inFlight(): number {
    return this.#load.here
  }

  get #connections(): Connections | null {
    return 'connections' in this.#life ? this.#life.connections : null
  }

  get #process(): ManagedProcess | null {
    return 'process' in this.#life ? this.#life.process : null
  }

  get #isProven(): boolean {
    return 'health' in this.#life && this.#life.health.isProven
  }

  /** Whether this is still the current phase, and this edge may act on it. */
  #isCurrent(life: Life): boolean {
    return this.#life === life && !this.#isAbandoned
  }

  /** The connections for its requests. Throws NoProcess while no process runs. */
  get pool(): Pool {
    if (!this.#connections) throw new NoProcess(this.id)
    return this.#connections.pool
  }

  /** Opens a connection that outlives a request, such as a WebSocket. Fails with NoProcess while no process runs. */
  connect(done: (failure: Error | null, socket: Socket | null) => void): void {
    if (this.#connections) this.#connections.connect(done)
    else done(new NoProcess(this.id), null)
  }

  /** Whether it takes or queues another request. */
  get hasRoom(): boolean {
    return this.slots.hasRoom(this.#options.definition().limits)
  }

  get record(): InstanceRecord {
    const process = this.#process
    return {
      id: this.id,
      releaseId: this.releaseId,
      port: this.port,
      ordinal: this.ordinal,
      host: this.#host,
      process: process && { pid: process.pid, identity: process.identity },
      startedAtMs: this.#startedAtMs,
      restartCount: this.#restarts.count,
      lastRestart: this.#restarts.last,
      wasHealthy: this.state === 'healthy',
      isStopping: this.isStopping,
    }
  }

  get shape(): EdgeInstance {
    const process = this.#process
    const usage = 'usage' in this.#life ? this.#life.usage : null
    return {
      id: this.id,
      releaseId: this.releaseId,
      state: this.isEjected && this.state === 'healthy' ? 'unhealthy' : this.state,
      reason: this.reason,
      pid: process?.pid ?? null,
      port: this.port,
      startedAtMs: this.#startedAtMs,
      restartCount: this.#restarts.count,
      lastRestart: this.#restarts.last,
      inFlight: this.#load.total,
      memoryBytes: usage?.memoryBytes ?? null,
      cpuCores: usage?.cpuCores ?? null,
      ...(process?.logTrouble ? { logTrouble: process.logTrouble } : {}),
    }
  }

  /** Starts a process. Never rejects: an instance that cannot start is down, and tries again. */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { release, output, definition, persist, environment, clock } = this.#options
    const life: Life & { kind: 'starting' } = { kind: 'starting', sinceMs: clock.monotonicMs() }
    this.#life = life
    this.#startedAtMs = clock.nowMs()
    try {
      this.#options.ports.giveBack(this.port)
      this.port = await this.#options.ports.take()
      await persist()
      await this.#tidying
      if (!this.#isCurrent(life)) return
      const directory = this.#options.directory()
      // The system would report a missing program.
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
      const process = await spawning
      this.#started(life, process)
    } catch (failure) {
      if (this.#isCurrent(life))
        this.#crashed({ reason: messageOf(failure), isKill: false, isOurLack: comesOfOurLack(failure) }, null)
    }
  }

  #started(life: Life & { kind: 'starting' }, process: ManagedProcess): void {
    if (this.#life === life) this.#run(process, new CheckedHealth(life.sinceMs, false))
    // It was told to stop meanwhile and waits for this process in order to end it.
    else if (this.#life.kind === 'stopping') this.#life.process = process
  }

  /** Adopts the process of an earlier edge, or starts one when it is gone. */
  async adopt(record: InstanceRecord): Promise<void> {
    const { clock, output, ports } = this.#options
    const { isStopping, wasHealthy } = record
    this.port = record.port
    this.#host = record.host
    ports.note(this.port)
    this.#startedAtMs = record.startedAtMs
    this.#restarts.count = record.restartCount
    this.#restarts.last = record.lastRestart
    this.#wasEverHealthy = wasHealthy
    if (isStopping) this.#life = { kind: 'stopping', process: null, connections: null, usage: null }
    const found = await findProcess(record, this.#mark, this.#options)
    if (found && found.port !== this.port) {
      ports.giveBack(this.port)
      this.port = found.port
      ports.note(this.port)
    }
    if (!found) {
      if (record.process && !isStopping) {
        this.#failed('crash')
        this.#restarted('ended while the edge was away')
      }
      this.#tidy()
      // Not awaited: it starts once this edge acts.
      if (!isStopping) void this.start()
      return
    }
    const { process } = found
    output.follow(process.pid)
    await output.read()
    if (this.#life.kind === 'stopping') {
      this.#life.process = process
      this.#life.connections = this.#newConnections()
      this.#options.onChange()
    } else this.#run(process, new CheckedHealth(clock.monotonicMs(), wasHealthy))
  }

  /** Resolves when a start in progress has its process. */
  get spawning(): Promise<unknown> {
    return this.#spawning
  }

  /** Requests that an earlier edge still has in progress here. */
  set inFlightElsewhere(count: number) {
    this.#load.elsewhere = count
  }

  /** Counts a request that starts. */
  begin(): void {
    this.#load.begin()
  }

  /** Counts a request that ends. */
  end(): void {
    this.#load.end()
  }

  /** Registers a connection that outlives its request: it is cut when the instance stops. */
  hold(tunnel: { destroy(): unknown }): Disposable {
    return this.#load.hold(tunnel)
  }

  /** Ejects it for a while, because requests fail. */
  eject(): void {
    const life = this.#life
    if (life.kind !== 'running' || life.ejection) return
    const { clock, onChange } = this.#options
    this.#failed('ejection')
    const forMs = this.passive.eject()
    this.reason = `ejected for ${duration(forMs)}: 5 consecutive requests failed`
    life.ejection = clock.after(forMs, () => {
      life.ejection = null
      this.reason = life.health.reason
      onChange()
    })
    onChange()
  }

  /**
   * Takes no new requests. Those in progress may finish within `drainMs`, then the process is stopped. Only the first
   * call counts.
   */
  stop(drainMs: number, graceMs: number): Promise<void> {
    this.#stopped ??= this.#stop(drainMs, graceMs)
    return this.#stopped
  }

  async #stop(drainMs: number, graceMs: number): Promise<void> {
    const { clock, onChange, onGone, output } = this.#options
    const life = this.#toStopping()
    onChange()
    await this.#options.acting()
    await this.#load.idle(clock, drainMs)
    const { connections } = life
    life.connections = null
    await this.#cutRequests(connections)
    await this.#starting
    if (life.process) await this.#end(life.process, graceMs)
    await this.#endStrays()
    await output.read()
    this.#life = { kind: 'gone' }
    this.#options.ports.giveBack(this.port)
    this.#options.log.info('instance stopped', { instance: this.id, atMs: clock.nowMs() })
    onGone()
  }

  #toStopping(): Life & { kind: 'stopping' } {
    this.#dropTimers()
    if (this.#life.kind === 'stopping') return this.#life
    const life: Life & { kind: 'stopping' } = {
      kind: 'stopping',
      process: this.#process,
      connections: this.#connections,
      usage: 'usage' in this.#life ? this.#life.usage : null,
    }
    this.#life = life
    return life
  }

  /**
   * Cuts what is in progress here and at an edge before this one, before its process stops: requests that an edge cuts
   * off may be repeated at another instance, and are no failures of this one.
   */
  async #cutRequests(connections: Connections | null): Promise<void> {
    this.#load.cutTunnels()
    void connections?.pool.destroy(new InstanceStopped())
    if (!this.#load.isElsewhere) return
    this.#options.cutElsewhere()
    await this.#load.idle(this.#options.clock, cutElsewhereWithinMs)
  }

  async #end(process: ManagedProcess, graceMs: number): Promise<void> {
    const { pid } = process
    // Processes that left the group get SIGTERM here; those in it would get it twice.
    askToEndByMark(this.#mark, pid)
    if (await process.stop(graceMs)) return
    this.#options.log.error('an instance that could not be killed keeps running', { instance: this.id, pid })
  }

  /** One search after the other: one that was still waiting would end the process of the next start. */
  #tidy(): void {
    this.#tidying = this.#tidying.then(() => this.#endStrays())
  }

  /** Processes that its processes started outside of their group. */
  async #endStrays(): Promise<void> {
    await this.#options.acting()
    await endByMark(this.#options.clock, this.#mark)
  }

  /** The edge that manages its process now is about to stop it. */
  cut(): void {
    const { connections } = this.#toStopping()
    void this.#cutRequests(connections)
  }

  /** Hands its process to another edge. Requests in progress continue. */
  abandon(): void {
    this.#isAbandoned = true
    this.#dropTimers()
  }

  /** Lets go of the process and leaves it running, because the edge ends. */
  release(): void {
    this.abandon()
    void this.#connections?.pool.destroy()
    if (this.#life.kind === 'stopping') this.#life.connections = null
  }

  /** Manages a process from its start, or from when it was found, to its end. */
  #run(process: ManagedProcess, health: CheckedHealth): void {
    const life: Running = {
      kind: 'running',
      process,
      connections: this.#newConnections(),
      health,
      usage: null,
      ownedMs: -Infinity,
      nextProbe: null,
      ejection: null,
    }
    this.#life = life
    this.#options.output.follow(process.pid)
    this.passive = new PassiveHealth()
    void process.ended.then((end) => {
      if (this.#isCurrent(life)) this.#crashed(end, life)
    })
    if (!this.#isAbandoned) {
      this.#probeSoon(life, 0)
      life.usage = new UsageWatch({
        ...this.#options,
        pid: process.pid,
        instanceId: this.id,
        limit: () => this.#options.definition().memoryLimitBytes,
        onOver: (bytes) => {
          if (this.#isCurrent(life)) void this.#overLimit(life, bytes)
        },
      })
    }
    this.#options.onChange()
  }

  #newConnections(): Connections {
    return connectionsTo(this.#host, this.port, () => this.#options.definition().timeouts.connectMs)
  }

  /** Called when its process ended or could not be started, and this edge did not ask for that. */
  #crashed({ reason, isKill, isOurLack }: ProcessEnd, life: Running | null): void {
    const isOutOfMemory = isKill && (life?.usage?.hasMachineRunOutOfMemory ?? false)
    if (!isOurLack) this.#failed(isOutOfMemory ? 'oom_kill' : 'crash')
    this.#restarts.endedOtherwise()
    this.#isRecovering = false
    this.#ended(
      isOutOfMemory ? 'was killed by the kernel: the machine or its group ran out of memory' : reason,
    )
  }

  /**
   * Restarts it in place, because it serves nobody or was over its limit before. Requests in progress may finish
   * within `drainMs`.
   */
  async #recycle(
    { process, connections, health, usage }: Running,
    reason: string,
    drainMs: number,
  ): Promise<void> {
    this.#dropTimers()
    const life: Life = { kind: 'recycling', process, connections, health, usage }
    this.#life = life
    this.reason = reason
    this.#options.log.warn('instance is restarted', { instance: this.id, reason })
    this.#options.onChange()
    await this.#options.acting()
    await this.#load.idle(this.#options.clock, drainMs)
    if (!this.#isCurrent(life)) return
    await this.#cutRequests(connections)
    if (!this.#isCurrent(life)) return
    await this.#end(process, this.#options.definition().graceMs)
    if (this.#isCurrent(life)) this.#ended(reason)
  }

  async #overLimit(life: Running, bytes: number): Promise<void> {
    const limit = this.#options.definition().memoryLimitBytes
    if (limit === null || this.isRetiring) return
    const { log, onChange } = this.#options
    this.#failed('oom_kill')
    const times = this.#restarts.overLimit(life.health.isProven)
    log.warn('instance over its memory limit', { instance: this.id, bytes, limit })
    if (times > 1 || life.health.state !== 'healthy') {
      const drainMs = Math.min(this.#options.definition().drainMs, overLimitDrainMs)
      return this.#recycle(life, repeated(`over its memory limit of ${megabytes(limit)}`, times), drainMs)
    }
    this.#retirement = 'over its limit'
    this.reason = `uses ${megabytes(bytes)}, over its memory limit of ${megabytes(limit)}`
    onChange()
  }

  /** Another instance replaces it as soon as that is healthy, on a person's order. */
  retire(reason: string): void {
    this.#retirement = 'planned'
    this.reason = reason
    this.#options.onChange()
  }

  #failed(failure: InstanceFailure): void {
    this.#failureCount.failed(failure, this.#restarts.count === 0 && !this.#wasEverHealthy)
  }

  /** Schedules the next start; no process is left. */
  #ended(reason: string): void {
    const { clock, rng, log, onChange } = this.#options
    this.#dropTimers()
    void this.#connections?.pool.destroy()
    this.#tidy()
    const delayMs = backoffMs(this.#restarts.failed(this.#isProven), restartBackoff, rng.next())
    this.#life = {
      kind: 'down',
      nextStart: clock.after(delayMs, () => {
        this.#restarted(reason)
        this.reason = reason
        void this.start()
      }),
    }
    this.reason = `${reason}; starts again in ${duration(delayMs)}`
    log.warn('instance down', { instance: this.id, reason: this.reason })
    onChange()
  }

  #restarted(reason: string): void {
    this.#restarts.restarted({ atMs: this.#options.clock.nowMs(), reason })
  }

  #probeSoon(life: Running, delayMs: number): void {
    life.nextProbe = this.#options.clock.after(delayMs, () => void this.#probe(life))
  }

  async #probe(life: Running): Promise<void> {
    const { health: rule } = this.#options.definition()
    const { host, outcome } = await askInstance(this.#host, (at) => this.#ask(life, at, rule))
    if (!this.#isCurrent(life)) return
    if (host !== this.#host) {
      // Sends requests to where the process listens from now on; those in progress end where they are.
      this.#host = host
      void life.connections.pool.close()
      life.connections = this.#newConnections()
    }
    if (outcome.kind !== 'unknown') this.#judge(life, outcome.kind === 'well' ? null : outcome.why, rule)
    // A check that failed for lack of the edge's own resources says nothing about the instance.
    const why = outcome.kind === 'well' || outcome.kind === 'unknown' ? '' : outcome.why
    const nowMs = this.#options.clock.monotonicMs()
    if (why !== '' && life.health.isHungAt(nowMs, rule) && this.#mayRecover()) {
      if (life.health.state === 'starting') this.#failed('health')
      this.#isRecovering = true
      void this.#recycle(life, `hung: ${this.reason || why}`, 0)
      return
    }
    const { state } = life.health
    this.#probeSoon(life, state === 'starting' ? Math.min(startingProbeMs, rule.intervalMs) : rule.intervalMs)
  }

  async #ask(life: Running, host: LoopbackHost, rule: HealthProbe): Promise<InstanceOutcome> {
    const outcome = await probe({ ...rule, address: host, port: this.port })
    // Another process may listen there next.
    if (outcome.kind === 'refused') life.ownedMs = -Infinity
    if (outcome.kind === 'refused' || outcome.kind === 'unknown') return outcome
    const nowMs = this.#options.clock.monotonicMs()
    const isHealthy = life.health.state === 'healthy'
    const isKnown = isHealthy && host === this.#host && nowMs - life.ownedMs < ownedWithinMs
    if (isKnown) return outcome
    try {
      const why = await this.#options.portOwners.trouble(host, this.port, life.process.pid)
      life.ownedMs = why === '' ? nowMs : -Infinity
      return why === '' ? outcome : { kind: 'foreign', why }
    } catch (failure) {
      return { kind: 'unknown', why: messageOf(failure) }
    }
  }

  /** A restarted instance that hangs again lets the next one go first. */
  #mayRecover(): boolean {
    this.#isRecovering = false
    return !this.isRetiring && this.#options.mayRecover()
  }

  #judge({ health }: Running, trouble: string | null, rule: HealthProbe): void {
    if (trouble === null) this.passive.recover()
    const change = health.take(trouble, rule, this.#options.clock.monotonicMs())
    if (change === null) return
    this.reason = health.reason
    if (change === 'fell') this.#failed('health')
    if (change === 'rose') {
      this.#wasEverHealthy = true
      this.#isRecovering = false
    }
    this.#options.onChange()
  }

  #dropTimers(): void {
    const life = this.#life
    if (life.kind === 'down') life.nextStart[Symbol.dispose]()
    if ('usage' in life) life.usage?.[Symbol.dispose]()
    if (life.kind !== 'running') return
    life.nextProbe?.[Symbol.dispose]()
    life.ejection?.[Symbol.dispose]()
    life.ejection = null
  }
}

/** Thrown when there is no process to connect to. */
class NoProcess extends Error {
  readonly code = 'ECONNREFUSED'

  constructor(id: string) {
    super(`${id} has no process.`)
  }
}

/** Thrown for requests that an instance had not answered at the end of its drain time. */
export class InstanceStopped extends Error {
  constructor() {
    super('The instance was stopped before it answered.')
  }
}
