import Sqlite from 'better-sqlite3'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from '../../../base/index.ts'
import { makePrivateFile } from '../../system/index.ts'
import { isDamage } from './failures.ts'
import { migrate, pendingMigrations, type TelemetryMigration } from './migrate.ts'
import { migrations as allMigrations } from './migrations/index.ts'

export type Database = Sqlite.Database

/** 'PHts' in the file's head: this is a telemetry database and not some other file of SQLite. */
const applicationId = 0x50487473
/** Damaged files are kept for whoever wants to look, but not without end. */
const damagedFilesKept = 2

/** What is read at each start: damage there shows while the file can still be moved aside. */
const probes = [
  'SELECT * FROM host',
  'SELECT * FROM series',
  'SELECT * FROM usage',
  'SELECT DISTINCT host, t0 FROM tail',
  'SELECT max(id) FROM chunk',
]

export interface OpenedDatabase {
  db: Database
  /** What became of a damaged file, or empty. */
  notice: string
}

/**
 * Opens the telemetry database, making it where there is none. A damaged file is moved aside and a fresh one begun:
 * telemetry can be recorded anew, and an engine that does not start helps nobody. A file of an earlier version is
 * brought to the newest schema, all steps or none. Throws AppError STORE_TOO_NEW for
 * a database of a later version and CONFIG_INVALID for one of another program; throws what SQLite throws when the
 * file is locked or the disk fails.
 */
export function openDatabase(
  file: string,
  nowMs: number,
  migrations: readonly TelemetryMigration[] = allMigrations,
): OpenedDatabase {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    return { db: connect(file, migrations), notice: '' }
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown
    return { notice: moveAside(file, nowMs), db: connect(file, migrations) }
  }
}

/** Renames a damaged database out of the way. Gives the sentence to show. The file must not be open. */
export function moveAside(file: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[-:]|\..*/g, '')
  let aside = `${file}.damaged-${stamp}`
  for (let n = 2; existsSync(aside); n++) aside = `${file}.damaged-${stamp}-${n}`
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix)
  }
  dropOldest(file)
  return `The telemetry database was damaged; it was moved to ${aside}, and a new one was created.`
}

function dropOldest(file: string): void {
  const folder = dirname(file)
  const damaged = readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(file)}.damaged-`) && !/-(wal|shm)$/.test(name))
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).ctimeMs - statSync(a).ctimeMs)
  for (const old of damaged.slice(damagedFilesKept)) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(old + suffix, { force: true })
  }
}

function connect(file: string, migrations: readonly TelemetryMigration[]): Database {
  // A log left behind means the last run did not end in order: then, and only then, the whole file is read through.
  const endedBadly = existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0
  makePrivateFile(file)
  const db = new Sqlite(file, { timeout: 500 })
  try {
    // Before anything else: a file that is refused is left as it is.
    const version = readVersion(db, file)
    const pending = pendingMigrations(migrations, version, file)
    if (version > 0) checkForm(db)
    // Takes effect only while the file has no tables, hence before they are made.
    if (version === 0) db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    db.pragma('wal_autocheckpoint = 100')
    db.pragma('journal_size_limit = 1000000')
    if (endedBadly || isTooShort(db, file)) checkSoundness(db)
    migrate(db, pending, applicationId)
    for (const probe of probes) db.prepare(probe).all()
    return db
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

function readVersion(db: Database, file: string): number {
  const version = db.pragma('user_version', { simple: true }) as number
  const id = db.pragma('application_id', { simple: true }) as number
  const isEmpty = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0
  if (isEmpty && id === 0) return 0
  if (id !== applicationId) {
    throw new AppError(
      'CONFIG_INVALID',
      `${file} is a database of another program, not a telemetry database.`,
    )
  }
  return version
}

/** Blocks without a last time are of a form that was given up before version 0.1, under the same number. */
function checkForm(db: Database): void {
  const columns = db.prepare("SELECT name FROM pragma_table_info('chunk')").pluck().all()
  if (columns.length > 0 && !columns.includes('last')) {
    throw new Sqlite.SqliteError('the format of its blocks is no longer supported', 'SQLITE_CORRUPT')
  }
}

function isTooShort(db: Database, file: string): boolean {
  const bytes =
    (db.pragma('page_count', { simple: true }) as number) *
    (db.pragma('page_size', { simple: true }) as number)
  return statSync(file).size < bytes
}

function checkSoundness(db: Database): void {
  const finding = db.pragma('quick_check(1)', { simple: true }) as string
  if (finding !== 'ok') throw new Sqlite.SqliteError(`quick_check: ${finding}`, 'SQLITE_CORRUPT')
}
