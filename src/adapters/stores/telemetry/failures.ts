import { messageOf } from '../../../base/index.ts'
import type { ErrorCode } from '../../../contract/index.ts'
import { sqliteCodeOf, sqliteTroubleOf } from '../sqlite/index.ts'

/** A failure as it crosses from the worker: a code of the catalogue and a sentence. */
export interface StoreFailure {
  code: ErrorCode
  message: string
}

/** What an error of SQLite means for us; undefined for anything else, which is a bug and is thrown on. */
export function storeFailureOf(thrown: unknown): StoreFailure | undefined {
  const text = messageOf(thrown)
  switch (sqliteTroubleOf(thrown)) {
    case 'held':
      return { code: 'STORE_BUSY', message: `Another program is using the telemetry database (${text}).` }
    case 'full':
      return { code: 'STORE_FULL', message: `No space is left for the telemetry database (${text}).` }
    case 'damaged':
      return { code: 'STORE_CORRUPT', message: `The telemetry database is damaged (${text}).` }
    case 'unusable': {
      const message = `The telemetry database cannot be used: ${text} (${sqliteCodeOf(thrown)}).`
      return { code: 'UNAVAILABLE', message }
    }
    case undefined:
      return undefined
  }
}

/** Whether SQLite says that the file itself is no longer a sound database. */
export const isDamage = (thrown: unknown): boolean => sqliteTroubleOf(thrown) === 'damaged'
