import type { Expression, ExpressionBuilder, ReferenceExpression, SqlBool } from 'kysely'

/** What the queries of aggregates need of a database and Kysely does not have for all. */
export interface Dialect {
  /** Whether the text of `column` has `text` in it, whatever the case of its ASCII letters. */
  contains<DB, TB extends keyof DB>(
    eb: ExpressionBuilder<DB, TB>,
    column: ReferenceExpression<DB, TB>,
    text: string,
  ): Expression<SqlBool>
  /** Whether a row was refused since its key is in the table already. */
  isTaken(thrown: unknown): boolean
}
