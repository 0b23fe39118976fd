import { messageOf } from '../../../base/index.ts'
import type { ErrorCode } from '../../../contract/index.ts'

/** A failure as it crosses from the worker: a code of the catalogue and a sentence. */
export interface StoreFailure {
  code: ErrorCode
  message: string
}

/** What an error of SQLite means for us; undefined for anything else, which is a bug and is thrown on. */
export function storeFailureOf(thrown: unknown): StoreFailure | undefined {
  const sqliteCode = sqliteCodeOf(thrown)
  if (sqliteCode === undefined) return undefined
  const text = messageOf(thrown)
  if (/^SQLITE_(BUSY|LOCKED)/.test(sqliteCode)) {
    return { code: 'STORE_BUSY', message: `Another program holds the telemetry database (${text}).` }
  }
  if (sqliteCode === 'SQLITE_FULL') {
    return { code: 'STORE_FULL', message: `No space is left for the telemetry database (${text}).` }
  }
  if (isDamage(thrown))
    return { code: 'STORE_CORRUPT', message: `The telemetry database is damaged (${text}).` }
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH)/.test(sqliteCode)) {
    return { code: 'UNAVAILABLE', message: `The telemetry database cannot be used: ${text} (${sqliteCode}).` }
  }
  return undefined
}

/** Whether SQLite says that the file itself is no longer a sound database. */
export const isDamage = (thrown: unknown): boolean =>
  /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCodeOf(thrown) ?? '')

function sqliteCodeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined
}
