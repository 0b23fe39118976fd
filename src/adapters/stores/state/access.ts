import type { Kysely, Transaction } from 'kysely'
import type { Result } from '../../../base/index.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { Tables } from './tables.ts'

/** The database as an aggregate's store reads it: `run` turns what the driver throws into our failures. */
export interface Access {
  query: Kysely<Tables>
  dialect: Dialect
  run: <T>(read: () => Promise<T>) => Promise<Result<T>>
}

export type Writing = Transaction<Tables>

/**
 * Takes part in the transaction of a unit of work: stores the changes of its kinds. What it throws takes the whole
 * transaction back. What it gives, if anything, is called once the transaction is on disk.
 */
export interface Participant<C extends { kind: string }> {
  /** All kinds that it stores. */
  readonly kinds: Record<C['kind'], true>
  /** `changes` are of its kinds, at least one, in the order of the commit. */
  apply(transaction: Writing, changes: readonly C[]): Promise<void | (() => void)>
}
