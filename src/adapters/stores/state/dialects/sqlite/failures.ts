import { AppError, messageOf } from '../../../../../base/index.ts'
import { sqliteCodeOf, sqliteTroubleOf } from '../../../sqlite/index.ts'

/**
 * What an error of SQLite means for the state database at `file`. `backup` is named where one can be restored.
 * Undefined for anything else, which is a defect and is to be thrown on.
 */
export function failureOf(thrown: unknown, file: string, backup: string | null): AppError | undefined {
  if (thrown instanceof AppError) return thrown
  const sqliteCode = sqliteCodeOf(thrown)
  const options = { cause: thrown, details: { file, sqliteCode, backup } }
  const why = messageOf(thrown)
  switch (sqliteTroubleOf(thrown)) {
    case 'held': {
      const message = `${file} is in use by another program. Is another Pilothouse running with this data directory?`
      return new AppError('STORE_BUSY', message, options)
    }
    case 'damaged': {
      const restore = backup ? `The newest backup is ${backup}` : 'There is no backup of it'
      return new AppError('STORE_CORRUPT', `${file} is damaged (${why}). ${restore}.`, options)
    }
    case 'full':
      return new AppError('STORE_FULL', `No space is left for ${file}.`, options)
    case 'unusable':
      return new AppError('STORE_UNWRITABLE', `${file} cannot be used: ${why} (${sqliteCode}).`, options)
    case undefined:
      return undefined
  }
}
