import { access, constants } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { AppError } from '../../base/index.ts'
import {
  type EdgeInput,
  type EdgeOutput,
  type EdgeRelease,
  type EdgeDefinition,
} from '../../contract/index.ts'
import type { Surroundings } from '../machine/index.ts'
import type { InstanceFailure } from '../counts/index.ts'
import type { InstanceRecord, StoredService } from '../state/index.ts'
import { isDirectory, missingDirectory } from './directory.ts'
import { mayEject } from './ejection.ts'
import { InstanceLog } from './instance-log.ts'
import type { InstanceOptions } from './instance-options.ts'
import { Instance } from './instance.ts'
import { contentOf, type Orphan, type Orphans } from './orphans.ts'
import type { PortBook } from './port-book.ts'
import type { PortOwners } from './port-owners.ts'
import type { ProcessTable } from './process-table.ts'

export interface InstanceSetOptions extends Surroundings {
  /** The real path of the edge's directory. */
  edgeDirectory: string
  orphans: Orphans
  logDirectory: string
  workDirectory: string
  ports: PortBook
  processes: ProcessTable
  portOwners: PortOwners
  environment: Readonly<Record<string, string | undefined>>
  definition: () => EdgeDefinition
  persist: () => Promise<unknown>
  acting: () => Promise<void>
  /** Tells an edge before this one to cut what it has in progress at an instance. */
  cutElsewhere: (instanceId: string) => void
  /** Called for a failure that counts against the release of an instance. */
  onInstanceFailure: (releaseId: string, failure: InstanceFailure) => void
}

const readEveryMs = 1000

const keptKeys = 200

/**
 * The instances of one service, as many of each release as wanted. `usable` is what the proxy may choose from, always
 * up to date.
 */
export class InstanceSet {
  readonly #options: InstanceSetOptions
  readonly #wanted = new Map<string, StoredService['releases'][number]>()
  readonly #instances: Instance[] = []
  readonly #outputs = new Map<string, InstanceLog>()
  /** Instances whose replacement was started. */
  readonly #replaced = new WeakSet<Instance>()
  #reading: Disposable | null = null
  #usable = new Map<string, readonly Instance[]>()
  #doneKeys: string[] = []
  /** Instances to restart on a person's order, in turn. The first may be in progress, and stays until it is gone. */
  #restarts: StoredService['restarts'] = []
  #isClosed = false
  #isStopped = false

  constructor(options: InstanceSetOptions) {
    this.#options = options
    this.thaw()
  }

  get record(): Pick<StoredService, 'releases' | 'doneKeys' | 'instances' | 'restarts'> {
    return {
      releases: [...this.#wanted.values()],
      doneKeys: this.#doneKeys,
      instances: this.#instances.map(({ record }) => record),
      restarts: this.#restarts,
    }
  }

  /** Instances of a release that take requests. */
  usable(releaseId: string): readonly Instance[] {
    return this.#usable.get(releaseId) ?? []
  }

  /** The newest wanted release other than `stableId`. */
  candidateOf(stableId: string | null): string | undefined {
    return [...this.#wanted.values()].findLast(({ release, wanted }) => release.id !== stableId && wanted > 0)
      ?.release.id
  }

  report(): Omit<EdgeOutput<'observe'>, 'listenTrouble' | 'trouble'> {
    return {
      instances: this.#instances.map(({ shape }) => shape),
      wanted: Object.fromEntries([...this.#wanted].map(([id, { wanted }]) => [id, wanted])),
      askedBy: Object.fromEntries(
        [...this.#wanted].flatMap(([id, { askedBy }]) => (askedBy === '' ? [] : [[id, askedBy]])),
      ),
    }
  }

  /** Takes over the instances of an earlier edge. */
  async restore({ releases, doneKeys, instances, restarts }: StoredService): Promise<void> {
    this.#doneKeys = [...doneKeys]
    for (const entry of releases) this.#wanted.set(entry.release.id, entry)
    await Promise.all(instances.map((record) => this.#restoreInstance(record)))
    this.#restarts = restarts
    this.#restartNext()
    this.#reconcile()
  }

  /**
   * Requests instances of a release. Throws BAD_INPUT for a release that cannot run, or whose name another release
   * has; NOT_FOUND once everything is stopped.
   */
  async ensure({ release, instances, key }: EdgeInput<'ensure'>): Promise<void> {
    if (this.#doneKeys.includes(key)) return
    const known = this.#wanted.get(release.id)
    if (known && contentOf(known.release) !== contentOf(release))
      throw new AppError(
        'BAD_INPUT',
        `${release.service} already has a release ${release.id} with different content. Releases are immutable: give this one a new name.`,
      )
    if (!known) await requireRunnable(release, this.#directoryOf(release), this.#options.environment)
    // It may have been stopped meanwhile; nobody would ever stop an instance that starts now.
    if (this.#isStopped) throw new AppError('NOT_FOUND', `The service ${release.service} is being removed.`)
    this.#done(key)
    this.#wanted.set(release.id, { release, wanted: instances, askedBy: key })
    this.#reconcile()
    await this.#options.persist()
  }

  /**
   * Removes the instances of a release. Does nothing if another call has requested the release since `askedBy`,
   * because this call is late.
   */
  async remove({ releaseId, askedBy, key }: EdgeInput<'remove'>): Promise<void> {
    const isLate =
      askedBy === undefined ? this.#doneKeys.includes(key) : this.#wanted.get(releaseId)?.askedBy !== askedBy
    if (isLate) return
    this.#done(key)
    this.#wanted.delete(releaseId)
    this.#options.orphans.discard({ service: this.#options.definition().name, releaseId })
    this.#reconcile()
    await this.#options.persist()
  }

  /**
   * Restarts instances one at a time, the least healthy first. Each stops when its replacement is healthy; then the
   * next follows. The order is on disk before it takes effect, so an edge that starts meanwhile continues it. Throws
   * NOT_FOUND when it matches no instance.
   */
  async restart({
    service,
    releaseId,
    instanceId,
    by,
  }: EdgeInput<'restart'>): Promise<EdgeOutput<'restart'>> {
    const meant = this.#instances.filter(
      (instance) =>
        !instance.isStopping &&
        !instance.isRetiring &&
        (releaseId === undefined || instance.releaseId === releaseId) &&
        (instanceId === undefined || instance.id === instanceId),
    )
    if (meant.length === 0)
      throw new AppError('NOT_FOUND', `${service} has no running instance that matches the request.`)
    const instanceIds = meant.toSorted((a, b) => byWorth(b, a)).map(({ id }) => id)
    const queued = new Set(this.#restarts.map(({ id }) => id))
    const added = instanceIds.filter((id) => !queued.has(id))
    this.#restarts = [...this.#restarts, ...added.map((id) => ({ id, reason: `restarted by ${by}` }))]
    await this.#options.persist()
    this.#restartNext()
    return { instanceIds }
  }

  /** Restarts the first one that still exists, unless that is in progress. */
  #restartNext(): void {
    if (this.#isClosed) return
    const find = (id: string) => this.#instances.find((each) => each.id === id && !each.isStopping)
    const isUnderWay = this.#instances.some(
      ({ id, isRetiring }) => isRetiring && id === this.#restarts[0]?.id,
    )
    if (isUnderWay) return
    const left = this.#restarts.findIndex(({ id }) => find(id)?.isRetiring === false)
    this.#restarts = left < 0 ? [] : this.#restarts.slice(left)
    const [next] = this.#restarts
    if (next) find(next.id)?.retire(next.reason)
  }

  async logs({ releaseId, instanceId, lines }: EdgeInput<'logs'>): Promise<EdgeOutput<'logs'>> {
    const outputs = [...this.#outputs.values()]
    await Promise.all(outputs.map((output) => output.read()))
    return outputs
      .flatMap((output) => output.lines)
      .filter((line) => releaseId === undefined || line.releaseId === releaseId)
      .filter((line) => instanceId === undefined || line.instanceId === instanceId)
      .sort((a, b) => a.atMs - b.atMs)
      .slice(-lines)
  }

  /** Records the outcome of a request at an instance. */
  record5xx(instance: Instance, isFailure: boolean): void {
    // Late outcomes are about a process that is gone, or one that takes no more requests.
    if (!instance.isUsable || !instance.passive.record(isFailure)) return
    const siblings = this.#instances.filter(({ releaseId }) => releaseId === instance.releaseId)
    const ejected = siblings.filter(({ isEjected }) => isEjected).length
    if (!mayEject(siblings.length, ejected, this.usable(instance.releaseId).length)) return
    instance.eject()
  }

  /**
   * Stops everything; resolves when it has stopped. Earlier requests may be made again afterwards with their old keys.
   */
  async stopAll(): Promise<void> {
    this.#isStopped = true
    this.#wanted.clear()
    this.#doneKeys = []
    this.#options.orphans.discard({ service: this.#options.definition().name })
    const { drainMs, graceMs } = this.#options.definition()
    await Promise.all([...this.#instances].map((instance) => instance.stop(drainMs, graceMs)))
  }

  /** Resolves when the state knows everything in flight; logs are not touched from then on. */
  async freeze(): Promise<void> {
    this.#reading?.[Symbol.dispose]()
    this.#reading = null
    await Promise.all([...this.#outputs.values()].map((output) => output.read()))
    await Promise.all(this.#instances.map(({ spawning }) => spawning))
  }

  /** Undoes `freeze`. */
  thaw(): void {
    this.#reading ??= this.#options.clock.every(readEveryMs, () => {
      for (const output of this.#outputs.values()) void output.read()
    })
  }

  /** Requests in progress at each instance. */
  get inFlight(): Record<string, number> {
    return Object.fromEntries(this.#instances.map(({ id, inFlight }) => [id, inFlight]))
  }

  /** Requests that an earlier edge has in progress, by instance; an instance that is left out has none. */
  setInFlightElsewhere(counts: Readonly<Record<string, number>>): void {
    for (const instance of this.#instances) instance.inFlightElsewhere = counts[instance.id] ?? 0
  }

  /** Hands the instances to another edge; requests in progress continue. */
  abandon(): void {
    this.#isClosed = true
    for (const instance of this.#instances) instance.abandon()
  }

  /** The edge that manages the instances now is about to stop this one. */
  cut(instanceId: string): void {
    this.#instances.find(({ id }) => id === instanceId)?.cut()
    this.#refresh()
  }

  /** Lets go of everything and leaves it running. */
  close(): void {
    this.#isClosed = true
    this.#reading?.[Symbol.dispose]()
    for (const instance of this.#instances) instance.release()
  }

  #done(key: string): void {
    this.#doneKeys = [...this.#doneKeys.slice(1 - keptKeys), key]
  }

  /** Starts missing instances and stops surplus ones. */
  #reconcile(): void {
    if (this.#isClosed) return
    const { drainMs, graceMs } = this.#options.definition()
    const live = this.#instances.filter(({ isStopping }) => !isStopping)
    for (const { release, wanted } of this.#wanted.values()) {
      const own = live.filter(({ releaseId }) => releaseId === release.id)
      const staying = own.filter(({ isRetiring }) => !isRetiring)
      const toReplace = own.filter((each) => each.isRetiring && !this.#replaced.has(each))
      for (let i = staying.length; i < wanted; i++) {
        const replaces = toReplace.shift() ?? null
        if (replaces) this.#replaced.add(replaces)
        const orphan = replaces ? null : this.#options.orphans.claim(release, this.#options.definition())
        if (orphan) void this.#adopt(release, orphan)
        else void this.#add(release, { replaces }).start()
      }
      const surplus = staying.toSorted(byWorth).slice(wanted)
      // An instance that is replaced serves until its replacement does.
      const isReplaced = staying.filter(({ isUsable }) => isUsable).length >= wanted
      const retired = isReplaced ? own.filter(({ isRetiring }) => isRetiring) : []
      for (const instance of [...surplus, ...retired]) void instance.stop(drainMs, graceMs)
    }
    for (const instance of live)
      if (!this.#wanted.has(instance.releaseId)) void instance.stop(drainMs, graceMs)
    this.#refresh()
  }

  /** Adopts an instance that no state names. It is then checked like a new one. */
  #adopt(release: EdgeRelease, { instanceId, process, port }: Orphan): Promise<void> {
    const instance = this.#add(release, { id: instanceId })
    return instance.adopt({
      ...instance.record,
      port,
      process,
      startedAtMs: this.#options.clock.nowMs(),
    })
  }

  #directoryOf({ artifact }: EdgeRelease): string {
    const { definition, workDirectory } = this.#options
    return artifact.cwd ?? definition().workingDirectory ?? workDirectory
  }

  #add(
    release: EdgeRelease,
    known: { id?: string; ordinal?: number; replaces?: Instance | null } = {},
  ): Instance {
    const { logDirectory, clock, rng } = this.#options
    const { id = `${release.id}-${rng.hex(4)}`, replaces = null } = known
    const ordinal = known.ordinal ?? replaces?.ordinal ?? this.#freeOrdinal(release.id)
    const output = new InstanceLog(clock, logDirectory, { instanceId: id, releaseId: release.id })
    const options: InstanceOptions = {
      ...this.#options,
      id,
      ordinal,
      release,
      directory: () => this.#directoryOf(release),
      output,
      mayRecover: () => !this.#instances.some(({ isRecovering }) => isRecovering),
      onChange: () => this.#changed(),
      cutElsewhere: () => this.#options.cutElsewhere(id),
      onFailure: (failure) => this.#options.onInstanceFailure(release.id, failure),
      onGone: () => {
        this.#instances.splice(this.#instances.indexOf(instance), 1)
        this.#forgetOldOutputs(instance)
        this.#changed()
      },
    }
    const instance = new Instance(options, replaces)
    this.#outputs.set(id, output)
    this.#instances.push(instance)
    return instance
  }

  #freeOrdinal(releaseId: string): number {
    const taken = new Set(
      this.#instances
        .filter((one) => one.releaseId === releaseId && !one.isStopping)
        .map(({ ordinal }) => ordinal),
    )
    let ordinal = 0
    while (taken.has(ordinal)) ordinal += 1
    return ordinal
  }

  async #restoreInstance(record: InstanceRecord): Promise<void> {
    const entry = this.#wanted.get(record.releaseId)
    // A removed release only has to end, which does not need its content.
    const release: EdgeRelease = entry?.release ?? {
      service: this.#options.definition().name,
      id: record.releaseId,
      artifact: { kind: 'command', argv: ['-'], env: {} },
      parameters: {},
      note: '',
      createdAtMs: 0,
      createdBy: '',
    }
    const { drainMs, graceMs } = this.#options.definition()
    const isEnding = record.isStopping || !entry
    const instance = this.#add(release, { id: record.id, ordinal: record.ordinal })
    await instance.adopt({ ...record, isStopping: isEnding })
    if (isEnding) void instance.stop(drainMs, graceMs)
  }

  #changed(): void {
    if (this.#isClosed) return
    this.#restartNext()
    this.#reconcile()
    // The platform logs a failed write and tries again.
    void this.#options.persist()
  }

  #refresh(): void {
    const healthy = Map.groupBy(
      this.#instances.filter(({ state }) => state === 'healthy'),
      ({ releaseId }) => releaseId,
    )
    for (const [releaseId, instances] of healthy) {
      const usable = instances.filter(({ isUsable }) => isUsable)
      // An ejected instance that passes its checks is better than none.
      if (usable.length > 0) healthy.set(releaseId, usable)
    }
    this.#usable = healthy
  }

  /** The output of the newest ten stopped instances of a service stays readable. */
  #forgetOldOutputs(gone: Instance): void {
    const present = new Set(this.#instances.map(({ id }) => id))
    const old = [...this.#outputs.keys()].filter((id) => !present.has(id) && id !== gone.id)
    for (const id of old.slice(0, Math.max(0, old.length - 9))) {
      void this.#outputs.get(id)?.remove()
      this.#outputs.delete(id)
    }
  }
}

const worth = { healthy: 0, draining: 1, unhealthy: 2, starting: 3, down: 4 } as const

const byWorth = (a: Instance, b: Instance): number => worth[a.state] - worth[b.state]

/** Throws BAD_INPUT when the command or its directory does not exist. */
async function requireRunnable(
  { artifact, id }: EdgeRelease,
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { argv } = artifact
  const [command] = argv as [string]
  if (!(await isDirectory(directory)))
    throw new AppError('BAD_INPUT', `${id} cannot run: ${missingDirectory(directory)}.`)
  // Windows adds extensions and search directories of its own; a failed start reports it there.
  if (process.platform === 'win32') return
  const path = artifact.env['PATH'] ?? environment['PATH'] ?? ''
  const places = command.includes('/')
    ? [isAbsolute(command) ? command : resolve(directory, command)]
    : path.split(delimiter).map((place) => join(place, command))
  for (const place of places) {
    const isRunnable = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isRunnable) return
  }
  const where = command.includes('/')
    ? `${places[0]} is not an executable file`
    : `${command} is not on the PATH`
  throw new AppError('BAD_INPUT', `${id} cannot run: ${where}.`)
}
