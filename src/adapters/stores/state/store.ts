import { AppError, fail, ok, type Clock, type Result } from '../../../base/index.ts'
import { type Notice } from '../../../contract/index.ts'
import type { Journal, Launch } from '../../../engine/journal/index.ts'
import type { Stores } from '../../../engine/stores.ts'
import type { Access } from './access.ts'
import { auditStore, recordKey } from './aggregates/audit.ts'
import { declarationStore } from './aggregates/declarations.ts'
import { deploymentStore } from './aggregates/deployments.ts'
import { evidenceStore } from './aggregates/evidence.ts'
import { journalStore } from './aggregates/journal.ts'
import { releaseStore } from './aggregates/releases.ts'
import { serviceStore } from './aggregates/services.ts'
import { trafficStore } from './aggregates/traffic.ts'
import type { AuditSeal } from './audit-seal.ts'
import {
  dropHolderNote,
  failureOf,
  newestBackup,
  openDatabase,
  readHolderNote,
  sqlite,
  writeHolderNote,
  type OpenDatabase,
} from './dialects/sqlite/index.ts'
import { heartbeatEveryMs, heldText, Lease, thisProcess, type LeaseHolder } from './lease.ts'
import type { Migration } from './migrate.ts'
import { migrations as allMigrations } from './migrations/index.ts'
import { commitAll, participantsOf, type Participants } from './unit-of-work.ts'

/** Years of operation; the oldest go at the start of a launch. */
const keptNotices = 10_000

export interface StateStoreOptions {
  file: string
  clock: Clock
  /** Without one the audit log is chained, not sealed. */
  seal?: AuditSeal | null
  /** The data directory is not new, although the database is: its audit log was lost. */
  wasUsed?: boolean
  /** The lease alone tells engines apart, and not the lock of the file: several machines may reach it. */
  isShared?: boolean
  /** Whose the lease is: this process, unless a test says otherwise. */
  holder?: LeaseHolder
  /** Changes who takes part in a transaction: a test lets each of them fail. */
  participants?: (all: Participants) => Participants
  /** All that there are, unless a test brings its own. */
  migrations?: readonly Migration[]
}

/** What happened, and all aggregates: one database, one lease. */
export type StateStore = Journal & { readonly stores: Stores }

class SqliteStateStore implements StateStore {
  readonly #file: string
  readonly #clock: Clock
  readonly #database: OpenDatabase
  readonly #lease: Lease
  readonly #isShared: boolean
  readonly #heartbeat: Disposable
  #status: { isWritable: boolean; reason: string; sinceMs: number }
  #isClosed = false
  readonly stores: Stores
  readonly #journal: Pick<Journal, 'newest' | 'launchBefore'>

  constructor(
    { file, clock, seal = null, isShared = false, participants = (all) => all }: StateStoreOptions,
    database: OpenDatabase,
    lease: Lease,
  ) {
    this.#file = file
    this.#clock = clock
    this.#database = database
    this.#lease = lease
    this.#isShared = isShared
    this.#status = { isWritable: true, reason: '', sinceMs: clock.nowMs() }
    const { query } = database
    const access: Access = { query, dialect: sqlite, run: (read) => this.#read(read) }
    const taking = participants(participantsOf(seal, sqlite))
    this.#journal = journalStore(access)
    this.stores = {
      work: { commit: (changes) => this.#write(() => commitAll(query, lease, taking, changes)) },
      services: serviceStore(access),
      declarations: declarationStore(access),
      traffic: trafficStore(access),
      releases: releaseStore(access),
      deployments: deploymentStore(access),
      evidence: evidenceStore(access),
      audit: auditStore(access, seal),
    }
    // The heartbeat is also what shows that the disk takes writes.
    this.#heartbeat = clock.every(heartbeatEveryMs, () => void this.#write(() => lease.renew()))
  }

  append(notice: Notice): Promise<Result<void>> {
    return this.stores.work.commit([{ kind: 'addNotice', notice }])
  }

  replace(notice: Notice): Promise<Result<void>> {
    return this.stores.work.commit([{ kind: 'replaceNotice', notice }])
  }

  newest(limit: number): Promise<Result<Notice[]>> {
    return this.#journal.newest(limit)
  }

  launched(launch: Omit<Launch, 'stoppedAtMs'>): Promise<Result<void>> {
    return this.stores.work.commit([{ kind: 'startLaunch', launch }])
  }

  stopped(epoch: string, atMs: number): Promise<Result<void>> {
    return this.stores.work.commit([{ kind: 'stopLaunch', epoch, atMs }])
  }

  launchBefore(epoch: string): Promise<Result<Launch | null>> {
    return this.#journal.launchBefore(epoch)
  }

  status() {
    return this.#status
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#heartbeat[Symbol.dispose]()
    // Where that fails the lease expires, or the lock of the file goes with this process.
    await this.#lease.release().catch(() => undefined)
    if (!this.#isShared) dropHolderNote(this.#file)
    await this.#database.query.destroy()
  }

  /** Drops what is older than the newest `keptNotices`, and notes the key of the audit log. */
  async prepare({ seal, wasUsed = false }: StateStoreOptions): Promise<Result<void>> {
    return this.#write(async () => {
      const { query } = this.#database
      if (seal) await recordKey(query, seal, wasUsed)
      const newest = query.selectFrom('notices').select((eb) => eb.fn.max('seq').as('seq'))
      const { seq } = (await newest.executeTakeFirst()) ?? {}
      await query
        .deleteFrom('notices')
        .where('seq', '<=', (seq ?? 0) - keptNotices)
        .execute()
    })
  }

  async #write(run: () => Promise<void>): Promise<Result<void>> {
    const result = await this.#read(run)
    // A conflict is an answer of the database, not a trouble of it.
    const isWritable = result.ok || !result.error.code.startsWith('STORE_')
    if (this.#isClosed) return result
    const reason = isWritable || result.ok ? '' : result.error.message
    const sinceMs = isWritable === this.#status.isWritable ? this.#status.sinceMs : this.#clock.nowMs()
    this.#status = { isWritable, reason, sinceMs }
    return result
  }

  async #read<T>(run: () => Promise<T>): Promise<Result<T>> {
    if (this.#isClosed) return fail(new AppError('UNAVAILABLE', `${this.#file} is closed.`))
    try {
      return ok(await run())
    } catch (thrown) {
      const failure = failureOf(thrown, this.#file, newestBackup(this.#file))
      if (failure) return fail(failure)
      throw thrown
    }
  }
}

/**
 * Opens the state database, made and migrated as needed. Only one engine can have it. Fails with STORE_BUSY when
 * another has it, STORE_TOO_NEW, STORE_CORRUPT (naming the newest backup), STORE_FULL or STORE_UNWRITABLE; then the
 * file is as it was.
 */
export async function openStateStore(options: StateStoreOptions): Promise<Result<StateStore>> {
  const { file, clock, isShared = false, holder = thisProcess(), migrations = allMigrations } = options
  try {
    const database = await openDatabase(file, migrations, clock.nowMs(), isShared)
    const lease = await Lease.take(database.query, { file, clock, holder, hasFileLock: !isShared }).catch(
      async (thrown: unknown) => {
        await database.query.destroy()
        throw thrown
      },
    )
    if (!isShared) writeHolderNote(file, { ...holder, sinceMs: clock.nowMs() })
    const store = new SqliteStateStore(options, database, lease)
    const pruned = await store.prepare(options)
    if (pruned.ok) return ok(store)
    await store[Symbol.asyncDispose]()
    return pruned
  } catch (thrown) {
    const failure = failureOf(thrown, file, newestBackup(file)) ?? systemFailure(thrown, file)
    if (failure) return fail(withHolder(failure, file))
    throw thrown
  }
}

/** A locked file cannot be asked for the lease in it: the note beside it says whose it is. */
function withHolder(failure: AppError, file: string): AppError {
  const note = failure.code === 'STORE_BUSY' && failure.cause ? readHolderNote(file) : null
  if (note === null) return failure
  return new AppError('STORE_BUSY', heldText(file, note), {
    cause: failure.cause,
    details: { file, ...note },
  })
}

/** The directory cannot be made or entered: told by the system, not by SQLite. */
function systemFailure(thrown: unknown, file: string): AppError | undefined {
  if (!(thrown instanceof Error) || !('syscall' in thrown)) return undefined
  return new AppError('STORE_UNWRITABLE', `${file} cannot be created: ${thrown.message}.`, { cause: thrown })
}
