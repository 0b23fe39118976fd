import { AppError, messageOf } from '../../../../../base/index.ts'

function sqliteCodeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : ''
}

/**
 * What an error of SQLite means for the state database at `file`. `backup` is named where one can be restored.
 * Undefined for anything else, which is a defect and is to be thrown on.
 */
export function failureOf(thrown: unknown, file: string, backup: string | null): AppError | undefined {
  if (thrown instanceof AppError) return thrown
  const code = sqliteCodeOf(thrown)
  const options = { cause: thrown, details: { file, sqliteCode: code, backup } }
  const why = messageOf(thrown)
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    const message = `${file} is held by another program; is a Pilothouse running with this data directory already?`
    return new AppError('STORE_BUSY', message, options)
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    const restore = backup ? `The newest backup is ${backup}` : 'There is no backup of it'
    return new AppError('STORE_CORRUPT', `${file} is damaged (${why}). ${restore}.`, options)
  }
  if (code === 'SQLITE_FULL') {
    return new AppError('STORE_FULL', `No space is left for ${file}.`, options)
  }
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH)/.test(code)) {
    return new AppError('STORE_UNWRITABLE', `${file} cannot be used: ${why} (${code}).`, options)
  }
  return undefined
}
