import type { Dialect } from '../dialect.ts'

export const sqlite: Dialect = {
  contains: (eb, column, text) =>
    eb(eb.fn<number>('instr', [eb.fn('lower', [column]), eb.val(text.toLowerCase())]), '>', 0),
  isTaken: (thrown) =>
    thrown instanceof Error &&
    'code' in thrown &&
    (thrown.code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || thrown.code === 'SQLITE_CONSTRAINT_UNIQUE'),
}
