import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Clock } from '../../base/index.ts'
import type { AccountSettings, EdgeRelease } from '../../contract/index.ts'
import type { Surroundings } from '../machine/index.ts'
import { mayRunAs } from './account.ts'
import { ManagedProcess } from './managed-process.ts'
import {
  askToEndByMark,
  endByMark,
  findByName,
  identityOf,
  type FoundProcess,
  type Mark,
} from './process-identity.ts'

/** A running instance of this edge that its state does not name. */
export interface Orphan {
  instanceId: string
  service: string
  releaseId: string
  /** Content mark of its release; empty when an edge without this mark started it. */
  content: string
  port: number
  /** The user that its first process runs as. */
  uid: number
  /** Its first process; null when only the descendants of that are left. */
  process: { pid: number; identity: string } | null
}

/** The log directory of an edge's instances. */
export const logsOf = (edgeDirectory: string): string => join(edgeDirectory, 'logs')

/** How long orphans wait for their service and release to be declared again, ms. */
export const claimWithinMs = 60_000

/** Time from SIGTERM to SIGKILL, ms; the service's own setting is lost with its definition. */
const graceMs = 10_000

/** Two releases of the same name with the same text are the same. */
export const contentOf = ({ artifact, parameters }: EdgeRelease): string =>
  JSON.stringify([artifact, parameters])

export const contentMark = (release: EdgeRelease): string =>
  createHash('sha256').update(contentOf(release)).digest('hex').slice(0, 16)

/** The mark in the environment of all processes of an instance. */
export const markOf = (instanceId: string, edge: string): Mark => ({
  variable: `PILOTHOUSE_INSTANCE=${instanceId}`,
  edge,
})

/**
 * Running instances of the edge of `directory` that none of `knownIds` names (Linux only). They carry the mark of the
 * edge. Instances of an earlier version have no mark and are found by the log files that they write.
 */
export async function findOrphans(
  directory: string,
  logDirectory: string,
  knownIds: ReadonlySet<string>,
): Promise<Orphan[]> {
  const strangers = findByName('PILOTHOUSE_INSTANCE').filter(
    ({ variables }) => !knownIds.has(variables.get('PILOTHOUSE_INSTANCE') ?? ''),
  )
  const byInstance = Map.groupBy(
    strangers,
    ({ variables }) => `${variables.get('PILOTHOUSE_EDGE')} ${variables.get('PILOTHOUSE_INSTANCE')}`,
  )
  const orphans: Orphan[] = []
  for (const processes of byInstance.values()) {
    const { variables } = processes[0] as FoundProcess
    const isOwn =
      variables.get('PILOTHOUSE_EDGE') === directory ||
      processes.some((each) => writesInto(each, logDirectory))
    if (!isOwn) continue
    const leader = processes.find(({ isLeader }) => isLeader)
    const identity = leader ? await identityOf(leader.pid) : null
    orphans.push({
      instanceId: variables.get('PILOTHOUSE_INSTANCE') ?? '',
      service: variables.get('PILOTHOUSE_SERVICE') ?? '',
      releaseId: variables.get('PILOTHOUSE_RELEASE') ?? '',
      content: variables.get('PILOTHOUSE_CONTENT') ?? '',
      port: Number(variables.get('PORT') ?? 0),
      uid: (leader ?? processes[0])?.uid ?? -1,
      process: leader && identity !== null ? { pid: leader.pid, identity } : null,
    })
  }
  return orphans
}

function writesInto({ pid }: FoundProcess, logDirectory: string): boolean {
  return [1, 2].some((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`).startsWith(logDirectory + sep)
    } catch {
      return false
    }
  })
}

export interface OrphansOptions extends Surroundings {
  /** The real path of the edge's directory. */
  edgeDirectory: string
  /** Resolves when this edge acts on processes. */
  acting: () => Promise<void>
}

/**
 * Instances that run without a service because the state of the edge was lost. Each waits for its release to be
 * declared again, and is ended when that does not happen in time.
 */
export class Orphans implements Disposable {
  readonly #options: OrphansOptions
  #held: Orphan[]
  readonly #ending = new Set<Promise<void>>()
  #timer: Disposable | null = null
  #endsAtMs = 0

  constructor(options: OrphansOptions, found: readonly Orphan[]) {
    this.#options = options
    this.#held = [...found]
    if (found.length === 0) return
    options.log.warn('found running instances that the state does not name', {
      instances: found.map(({ instanceId }) => instanceId),
    })
    void options.acting().then(() => {
      this.#endsAtMs = options.clock.nowMs() + claimWithinMs
      this.#timer = options.clock.after(claimWithinMs, () =>
        this.#end(() => true, 'it was not declared again'),
      )
      // The release of these is unknown.
      this.#end(({ content, process }) => content === '' || !process, 'its release is unknown')
    })
  }

  /** Their number and deadline, as a sentence; empty when there are none. */
  get text(): string {
    const count = this.#held.length
    if (count === 0 || this.#endsAtMs === 0) return ''
    const [who, waits, ends] =
      count === 1 ? ['1 instance', 'waits for its', 'ends'] : [`${count} instances`, 'wait for their', 'end']
    const at = new Date(this.#endsAtMs).toISOString()
    return `${who} that the edge's state does not name ${waits} service to be declared again, or ${ends} at ${at}.`
  }

  get instanceIds(): string[] {
    return this.#held.map(({ instanceId }) => instanceId)
  }

  /**
   * Takes an instance of exactly this release that runs as an allowed user. It belongs to the caller from then on;
   * null when there is none.
   */
  claim(release: EdgeRelease, settings: AccountSettings): Orphan | null {
    const content = contentMark(release)
    const isNamed = ({ service, releaseId }: Orphan) =>
      service === release.service && releaseId === release.id
    const orphan = this.#held.find(
      (each) => isNamed(each) && each.process && each.content === content && mayRunAs(settings, each.uid),
    )
    if (!orphan) {
      this.#end((each) => isNamed(each) && each.content !== content, 'its release has changed')
      return null
    }
    this.#held = this.#held.filter((each) => each !== orphan)
    this.#options.log.info('an instance that the state did not name was adopted', {
      instance: orphan.instanceId,
      service: orphan.service,
      pid: orphan.process?.pid,
    })
    return orphan
  }

  /** Ends the orphans of a release, or of a whole service. */
  discard({ service, releaseId }: { service: string; releaseId?: string }): void {
    this.#end(
      (each) => each.service === service && (releaseId === undefined || each.releaseId === releaseId),
      'its release was removed',
    )
  }

  /** Ends all of them; resolves when they have ended. */
  async endAll(): Promise<void> {
    this.#end(() => true, 'the edge stops its instances')
    await Promise.all(this.#ending)
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
  }

  #end(isMeant: (orphan: Orphan) => boolean, reason: string): void {
    const meant = this.#held.filter(isMeant)
    this.#held = this.#held.filter((each) => !meant.includes(each))
    for (const orphan of meant) {
      const { instanceId, service, releaseId, process } = orphan
      this.#options.log.warn('an instance that the state does not name is ended', {
        instance: instanceId,
        service,
        releaseId,
        pid: process?.pid,
        reason,
      })
      const { acting, clock, edgeDirectory } = this.#options
      const ending = acting()
        .then(() => stop(orphan, edgeDirectory, clock))
        .finally(() => this.#ending.delete(ending))
      this.#ending.add(ending)
    }
  }
}

async function stop({ instanceId, process }: Orphan, edgeDirectory: string, clock: Clock): Promise<void> {
  const mark = markOf(instanceId, edgeDirectory)
  const managed = process && (await ManagedProcess.adopt(clock, process.pid, process.identity))
  askToEndByMark(mark, managed?.pid ?? null)
  await managed?.stop(graceMs)
  await endByMark(clock, mark)
}

/** Ends all instances of the edge of `directory`, which is not running. Returns their number (Linux only). */
export async function endInstancesOf(directory: string, clock: Clock): Promise<number> {
  const edgeDirectory = await realpath(directory).catch((failure: unknown) => {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure
    return null
  })
  if (edgeDirectory === null) return 0
  const orphans = await findOrphans(edgeDirectory, logsOf(edgeDirectory), new Set())
  await Promise.all(orphans.map((orphan) => stop(orphan, edgeDirectory, clock)))
  return orphans.length
}
