import type { Expression, ExpressionBuilder, ReferenceExpression, SqlBool } from 'kysely'

/** Whether the text of `column` has `text` in it, whatever the case of its ASCII letters. */
export const contains = <DB, TB extends keyof DB>(
  eb: ExpressionBuilder<DB, TB>,
  column: ReferenceExpression<DB, TB>,
  text: string,
): Expression<SqlBool> =>
  eb(eb.fn<number>('instr', [eb.fn('lower', [column]), eb.val(text.toLowerCase())]), '>', 0)

/** Whether a row was refused since its key is in the table already. */
export const isTaken = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  'code' in thrown &&
  (thrown.code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || thrown.code === 'SQLITE_CONSTRAINT_UNIQUE')
