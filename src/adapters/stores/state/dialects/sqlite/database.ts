import Sqlite, { type Database } from 'better-sqlite3'
import { Kysely, SqliteDialect, type DatabaseConnection, type Driver } from 'kysely'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../../../../../base/index.ts'
import { makePrivateFile } from '../../../../system/index.ts'
import { backUp, isBackupDue } from './backups.ts'
import { migrate, schemaState, type Migration } from '../../migrate.ts'
import type { Tables } from '../../tables.ts'

/** How long another program may hold the file while it is opened. */
const busyMs = 1000
const backupEveryMs = 24 * 60 * 60 * 1000

export interface OpenDatabase {
  sqlite: Database
  query: Kysely<Tables>
}

/**
 * SQLite takes a transaction back by itself when it finds no space. Taking it back again fails, and that failure would
 * stand in the place of the first one, which says what is wrong.
 */
class TruthfulDialect extends SqliteDialect {
  readonly #sqlite: Database

  constructor(sqlite: Database) {
    super({ database: sqlite })
    this.#sqlite = sqlite
  }

  override createDriver(): Driver {
    const driver = super.createDriver()
    const takeBack = driver.rollbackTransaction.bind(driver)
    driver.rollbackTransaction = async (connection: DatabaseConnection) => {
      if (this.#sqlite.inTransaction) await takeBack(connection)
    }
    return driver
  }
}

/** Throws what SQLite throws, or an AppError. */
function connect(file: string, isShared: boolean): Database {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  makePrivateFile(file)
  const sqlite = new Sqlite(file, { timeout: busyMs })
  try {
    // One engine a data directory: a second one is told so at once, and not by torn figures later.
    if (!isShared) sqlite.pragma('locking_mode = EXCLUSIVE')
    sqlite.pragma('journal_mode = WAL')
    // What is told as kept has reached the disk.
    sqlite.pragma('synchronous = FULL')
    sqlite.pragma('foreign_keys = ON')
    sqlite.pragma('trusted_schema = OFF')
    // Takes the lock now, not at the first write.
    sqlite.exec('BEGIN IMMEDIATE; COMMIT')
    const finding = sqlite.pragma('quick_check(1)', { simple: true })
    if (finding !== 'ok') throw new Sqlite.SqliteError(`quick_check: ${String(finding)}`, 'SQLITE_CORRUPT')
    return sqlite
  } catch (thrown) {
    sqlite.close()
    throw thrown
  }
}

/**
 * Opens the database at `file` to be read and not to be changed; it must have the newest schema. Throws what SQLite
 * throws, STORE_TOO_NEW, or CONFLICT for one of an earlier version.
 */
export async function readDatabase(file: string, migrations: readonly Migration[]): Promise<OpenDatabase> {
  const sqlite = new Sqlite(file, { timeout: busyMs, readonly: true, fileMustExist: true })
  const query = new Kysely<Tables>({ dialect: new TruthfulDialect(sqlite) })
  try {
    sqlite.pragma('trusted_schema = OFF')
    const { pending } = await schemaState(query as unknown as Kysely<unknown>, migrations, file)
    if (pending.length > 0)
      throw new AppError(
        'CONFLICT',
        `${file} was written by an earlier version. Start an engine, which upgrades it.`,
      )
    return { sqlite, query }
  } catch (thrown) {
    await query.destroy()
    throw thrown
  }
}

/**
 * Opens the database at `file`, makes it if there is none, copies it before a migration and once a day, and brings
 * it to the newest schema. Unless it `isShared`, no other process can have it. Throws what SQLite throws, or STORE_TOO_NEW; then nothing was changed.
 */
export async function openDatabase(
  file: string,
  migrations: readonly Migration[],
  nowMs: number,
  isShared: boolean,
): Promise<OpenDatabase> {
  const sqlite = connect(file, isShared)
  const query = new Kysely<Tables>({ dialect: new TruthfulDialect(sqlite) })
  try {
    const untyped = query as unknown as Kysely<unknown>
    const { version, pending } = await schemaState(untyped, migrations, file)
    const isNew = version === 0
    if (!isNew && (pending.length > 0 || isBackupDue(file, nowMs, backupEveryMs))) {
      backUp(sqlite, file, version, nowMs)
    }
    if (pending.length > 0) await migrate(untyped, pending, nowMs)
    return { sqlite, query }
  } catch (thrown) {
    await query.destroy()
    throw thrown
  }
}
