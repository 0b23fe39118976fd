/** What can be wrong with a database file, as far as someone can do something about it. */
export type SqliteTrouble = 'held' | 'damaged' | 'full' | 'unusable'

const troubles: readonly (readonly [SqliteTrouble, RegExp])[] = [
  ['held', /^SQLITE_(BUSY|LOCKED)/],
  ['damaged', /^SQLITE_(CORRUPT|NOTADB)/],
  ['full', /^SQLITE_FULL/],
  ['unusable', /^SQLITE_(IOERR|CANTOPEN|READONLY|PERM|AUTH)/],
]

/** The code of an error of SQLite, or empty for any other. */
export function sqliteCodeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : ''
}

/** What an error means for the file; undefined for anything else, which is a defect and is to be thrown on. */
export function sqliteTroubleOf(thrown: unknown): SqliteTrouble | undefined {
  const code = sqliteCodeOf(thrown)
  return troubles.find(([, codes]) => codes.test(code))?.[0]
}
