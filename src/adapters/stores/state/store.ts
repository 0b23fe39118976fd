import { AppError, fail, ok, type Clock, type Result } from '../../../base/index.ts'
import { type Notice } from '../../../contract/index.ts'
import type { DeploymentStore } from '../../../engine/deployments/index.ts'
import type { Journal, Launch } from '../../../engine/journal/index.ts'
import type { AuditSeal } from './audit-seal.ts'
import { newestBackup } from './backups.ts'
import { openDatabase, type OpenDatabase } from './database.ts'
import { recordKey, SqliteDeploymentStore } from './deployment-store.ts'
import { failureOf } from './failures.ts'
import type { Migration } from './migrate.ts'
import { migrations as allMigrations } from './migrations/index.ts'
import type { NoticeRow } from './tables.ts'

/** Years of operation; the oldest go at the start of a launch. */
const keptNotices = 10_000
const probeEveryMs = 10_000

export interface StateStoreOptions {
  file: string
  clock: Clock
  /** Without one the audit log is chained, not sealed. */
  seal?: AuditSeal
  /** The data directory is not new, although the database is: its audit log was lost. */
  wasUsed?: boolean
  /** All that there are, unless a test brings its own. */
  migrations?: readonly Migration[]
}

/** What happened, and deployments: one database, one lock. */
export type StateStore = Journal & { readonly deployments: DeploymentStore }

const rowOf = ({ atMs, ...rest }: Notice): NoticeRow => ({ ...rest, at_ms: atMs })

class SqliteStateStore implements StateStore {
  readonly #file: string
  readonly #clock: Clock
  readonly #database: OpenDatabase
  readonly #probe: Disposable
  #status: { isWritable: boolean; reason: string; sinceMs: number }
  #isClosed = false
  readonly deployments: DeploymentStore

  constructor({ file, clock, seal }: StateStoreOptions, database: OpenDatabase) {
    this.#file = file
    this.#clock = clock
    this.#database = database
    this.#status = { isWritable: true, reason: 'well', sinceMs: clock.nowMs() }
    this.deployments = new SqliteDeploymentStore({
      query: database.query,
      read: (run) => this.#read(run),
      write: (run) => this.#write(run),
      seal: seal ?? null,
    })
    this.#probe = clock.every(probeEveryMs, () => void this.#write(() => this.#touch()))
  }

  append(notice: Notice): Promise<Result<void>> {
    return this.#write(async () => {
      const { query } = this.#database
      await query
        .insertInto('notices')
        .values(rowOf(notice))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
    })
  }

  replace(notice: Notice): Promise<Result<void>> {
    return this.#write(() =>
      this.#database.query.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('notices').where('id', '=', notice.id).execute()
        await transaction.insertInto('notices').values(rowOf(notice)).execute()
      }),
    )
  }

  newest(limit: number): Promise<Result<Notice[]>> {
    return this.#read(async () => {
      const rows = await this.#database.query
        .selectFrom('notices')
        .select(['id', 'at_ms', 'severity', 'text', 'link'])
        .orderBy('seq', 'desc')
        .limit(limit)
        .execute()
      return rows.map(({ at_ms: atMs, ...rest }) => ({ ...rest, atMs }))
    })
  }

  launched({ epoch, version, startedAtMs }: Omit<Launch, 'stoppedAtMs'>): Promise<Result<void>> {
    return this.#write(async () => {
      await this.#database.query
        .insertInto('launches')
        .values({ epoch, version, started_at_ms: startedAtMs, stopped_at_ms: null })
        .onConflict((conflict) => conflict.column('epoch').doNothing())
        .execute()
    })
  }

  stopped(epoch: string, atMs: number): Promise<Result<void>> {
    return this.#write(async () => {
      await this.#database.query
        .updateTable('launches')
        .set({ stopped_at_ms: atMs })
        .where('epoch', '=', epoch)
        .execute()
    })
  }

  launchBefore(epoch: string): Promise<Result<Launch | null>> {
    return this.#read(async () => {
      const row = await this.#database.query
        .selectFrom('launches')
        .select(['epoch', 'version', 'started_at_ms as startedAtMs', 'stopped_at_ms as stoppedAtMs'])
        .where('epoch', '!=', epoch)
        .where((eb) => {
          const own = eb.selectFrom('launches').select('seq').where('epoch', '=', epoch)
          return eb.or([eb('seq', '<', own), eb.not(eb.exists(own))])
        })
        .orderBy('seq', 'desc')
        .executeTakeFirst()
      return row ?? null
    })
  }

  status() {
    return this.#status
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#probe[Symbol.dispose]()
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

  async #touch(): Promise<void> {
    const atMs = this.#clock.nowMs()
    await this.#database.query
      .insertInto('write_probe')
      .values({ id: 1, at_ms: atMs })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ at_ms: atMs }))
      .execute()
  }

  async #write(run: () => Promise<void>): Promise<Result<void>> {
    const result = await this.#read(run)
    // A conflict is an answer of the database, not a trouble of it.
    const isWritable = result.ok || !result.error.code.startsWith('STORE_')
    if (this.#isClosed) return result
    const reason = isWritable || result.ok ? 'well' : result.error.message
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
  const { file, clock, migrations = allMigrations } = options
  try {
    const store = new SqliteStateStore(options, await openDatabase(file, migrations, clock.nowMs()))
    const pruned = await store.prepare(options)
    if (pruned.ok) return ok(store)
    await store[Symbol.asyncDispose]()
    return pruned
  } catch (thrown) {
    const failure = failureOf(thrown, file, newestBackup(file)) ?? systemFailure(thrown, file)
    if (failure) return fail(failure)
    throw thrown
  }
}

/** The directory cannot be made or entered: told by the system, not by SQLite. */
function systemFailure(thrown: unknown, file: string): AppError | undefined {
  if (!(thrown instanceof Error) || !('syscall' in thrown)) return undefined
  return new AppError('STORE_UNWRITABLE', `${file} cannot be made: ${thrown.message}.`, { cause: thrown })
}
