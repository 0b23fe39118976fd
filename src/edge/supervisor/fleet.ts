import { access, constants, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { EdgeInput, EdgeOutput, Release, ServiceDefinition } from '../../contract/index.ts'
import type { Surroundings } from '../clock.ts'
import { EdgeFailure } from '../failure.ts'
import type { Limits } from '../limits.ts'
import type { InstanceRecord, ServiceRecord } from '../state/state.ts'
import { mayEject } from './ejection.ts'
import { InstanceLog } from './instance-log.ts'
import { Instance } from './instance.ts'
import type { PortBook } from './port-book.ts'

export interface FleetOptions extends Surroundings {
  limits: Limits
  logDirectory: string
  ports: PortBook
  environment: Readonly<Record<string, string | undefined>>
  definition: () => ServiceDefinition
  persist: () => Promise<void>
  acting: () => Promise<void>
}

const readEveryMs = 1000

const keptKeys = 200

/**
 * The instances of one service: as many of each release as are wanted. `usable` is what the proxy may choose from,
 * always up to date.
 */
export class Fleet {
  readonly #options: FleetOptions
  readonly #wanted = new Map<string, { release: Release; wanted: number }>()
  readonly #instances: Instance[] = []
  readonly #outputs = new Map<string, InstanceLog>()
  /** Those for which another one was started. */
  readonly #replaced = new WeakSet<Instance>()
  #reading: Disposable | null = null
  #usable = new Map<string, readonly Instance[]>()
  #doneKeys: string[] = []
  #isClosed = false
  #isStopped = false

  constructor(options: FleetOptions) {
    this.#options = options
    this.thaw()
  }

  get record(): Pick<ServiceRecord, 'releases' | 'doneKeys' | 'instances'> {
    return {
      releases: [...this.#wanted.values()],
      doneKeys: this.#doneKeys,
      instances: this.#instances.map(({ record }) => record),
    }
  }

  /** Instances of a release that take requests. */
  usable(releaseId: string): readonly Instance[] {
    return this.#usable.get(releaseId) ?? []
  }

  /** The newest release that is wanted, other than `stableId`. */
  candidateOf(stableId: string | null): string | undefined {
    return [...this.#wanted.values()].findLast(({ release, wanted }) => release.id !== stableId && wanted > 0)
      ?.release.id
  }

  report(): EdgeOutput<'observe'> {
    return {
      instances: this.#instances.map(({ shape }) => shape),
      wanted: Object.fromEntries([...this.#wanted].map(([id, { wanted }]) => [id, wanted])),
    }
  }

  /** Takes up what an earlier edge ran. */
  async restore({ releases, doneKeys, instances }: ServiceRecord): Promise<void> {
    this.#doneKeys = [...doneKeys]
    for (const entry of releases) this.#wanted.set(entry.release.id, entry)
    await Promise.all(instances.map((record) => this.#restoreInstance(record)))
    this.#reconcile()
  }

  /** Throws BAD_INPUT for a release that cannot run, or has the name of another; NOT_FOUND when all is stopped. */
  async ensure({ release, instances, key }: EdgeInput<'ensure'>): Promise<void> {
    if (this.#doneKeys.includes(key)) return
    const known = this.#wanted.get(release.id)
    if (known && contentOf(known.release) !== contentOf(release))
      throw new EdgeFailure('BAD_INPUT', `A release is immutable: ${release.id} is known with other content.`)
    if (!known) await requireRunnable(release, this.#options.environment)
    // Meanwhile, perhaps: what is started now nobody would ever stop.
    if (this.#isStopped) throw new EdgeFailure('NOT_FOUND', `${release.service} is being withdrawn.`)
    this.#done(key)
    this.#wanted.set(release.id, { release, wanted: instances })
    this.#reconcile()
    await this.#options.persist()
  }

  async remove({ releaseId, key }: EdgeInput<'remove'>): Promise<void> {
    if (this.#doneKeys.includes(key)) return
    this.#done(key)
    this.#wanted.delete(releaseId)
    this.#reconcile()
    await this.#options.persist()
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

  /** What a request has shown about an instance. */
  record5xx(instance: Instance, isFailure: boolean): void {
    // Requests that end late tell of a process that has gone, or of one that takes no more of them.
    if (!instance.isUsable || !instance.passive.record(isFailure)) return
    const siblings = this.#instances.filter(({ releaseId }) => releaseId === instance.releaseId)
    const ejected = siblings.filter(({ isEjected }) => isEjected).length
    if (mayEject(siblings.length, ejected, this.usable(instance.releaseId).length)) instance.eject()
  }

  /** Stops everything; resolves when it has stopped. */
  async stopAll(): Promise<void> {
    this.#isStopped = true
    this.#wanted.clear()
    const { drainMs, graceMs } = this.#options.definition()
    await Promise.all([...this.#instances].map((instance) => instance.stop(drainMs, graceMs)))
  }

  /** Resolves when nothing is on its way that the state does not know of; logs are left alone from now on. */
  async freeze(): Promise<void> {
    this.#reading?.[Symbol.dispose]()
    this.#reading = null
    await Promise.all([...this.#outputs.values()].map((output) => output.read()))
    await Promise.all(this.#instances.map(({ spawning }) => spawning))
  }

  /** The opposite of `freeze`. */
  thaw(): void {
    this.#reading ??= this.#options.clock.every(readEveryMs, () => {
      for (const output of this.#outputs.values()) void output.read()
    })
  }

  /** Requests under way at each instance. */
  get inFlight(): Record<string, number> {
    return Object.fromEntries(this.#instances.map(({ id, inFlight }) => [id, inFlight]))
  }

  /** Requests that an edge before this one has under way, by instance; none where left out. */
  setInFlightElsewhere(counts: Readonly<Record<string, number>>): void {
    for (const instance of this.#instances) instance.inFlightElsewhere = counts[instance.id] ?? 0
  }

  /** Another edge looks after the instances from now on; requests under way go on. */
  abandon(): void {
    this.#isClosed = true
    for (const instance of this.#instances) instance.abandon()
  }

  /** Leaves everything running. */
  close(): void {
    this.#isClosed = true
    this.#reading?.[Symbol.dispose]()
    for (const instance of this.#instances) instance.release()
  }

  #done(key: string): void {
    this.#doneKeys = [...this.#doneKeys.slice(1 - keptKeys), key]
  }

  /** Starts what is missing and stops what is too much. */
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
        void this.#add(release, { replaces }).start()
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

  #add(release: Release, known: { id?: string; replaces?: Instance | null } = {}): Instance {
    const { logDirectory, clock, rng } = this.#options
    const { id = `${release.id}-${rng.hex(4)}`, replaces = null } = known
    const output = new InstanceLog(clock, logDirectory, { instanceId: id, releaseId: release.id })
    const instance = new Instance({
      ...this.#options,
      id,
      release,
      replaces,
      output,
      onChange: () => this.#changed(),
      onGone: (gone) => {
        this.#instances.splice(this.#instances.indexOf(gone), 1)
        this.#forgetOldOutputs(gone)
        this.#changed()
      },
    })
    this.#outputs.set(id, output)
    this.#instances.push(instance)
    return instance
  }

  async #restoreInstance(record: InstanceRecord): Promise<void> {
    const entry = this.#wanted.get(record.releaseId)
    // Of a removed release only the end is left to do, for which its content is not needed.
    const release: Release = entry?.release ?? {
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
    const instance = this.#add(release, { id: record.id })
    await instance.adopt({ ...record, isStopping: isEnding })
    if (isEnding) void instance.stop(drainMs, graceMs)
  }

  #changed(): void {
    if (this.#isClosed) return
    this.#reconcile()
    this.#options.persist().catch((failure: unknown) => {
      this.#options.log.error('the state cannot be written', { failure: String(failure) })
    })
  }

  #refresh(): void {
    const healthy = Map.groupBy(
      this.#instances.filter(({ state }) => state === 'healthy'),
      ({ releaseId }) => releaseId,
    )
    for (const [releaseId, instances] of healthy) {
      const usable = instances.filter(({ isUsable }) => isUsable)
      // One that was ejected and is well by its checks is better than nobody.
      if (usable.length > 0) healthy.set(releaseId, usable)
    }
    this.#usable = healthy
  }

  /** The output of an instance that has gone stays to be read, of the newest ten of a service. */
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

const contentOf = ({ artifact, parameters }: Release): string => JSON.stringify([artifact, parameters])

/** Throws BAD_INPUT when the command or its directory is not there. */
async function requireRunnable(
  { artifact, id }: Release,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { cwd, argv } = artifact
  const [command] = argv as [string]
  if (cwd !== undefined && !(await stat(cwd).catch(() => null))?.isDirectory())
    throw new EdgeFailure('BAD_INPUT', `${id} cannot run: there is no directory ${cwd}.`)
  // Windows has endings and places of its own to look in; a start that fails says so there.
  if (process.platform === 'win32') return
  const path = artifact.env['PATH'] ?? environment['PATH'] ?? ''
  const places = command.includes('/')
    ? [isAbsolute(command) ? command : resolve(cwd ?? '.', command)]
    : path.split(delimiter).map((place) => join(place, command))
  for (const place of places) {
    const isRunnable = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isRunnable) return
  }
  throw new EdgeFailure('BAD_INPUT', `${id} cannot run: there is no command ${command}.`)
}
