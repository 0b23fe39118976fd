import type { Result } from '../../base/index.ts'

/**
 * Port: stores changes that belong together. All of `changes` are on disk when the promise resolves with success, or none
 * is. A domain declares the kinds of change that it makes, and names those that it commits: `UnitOfWork<ReleaseChange |
 * AuditChange>`. `Change` in `stores.ts` is the union of all. Failures are STORE_BUSY (also when another engine has taken
 * over), STORE_FULL, STORE_UNWRITABLE and STORE_CORRUPT; and CONFLICT when a change contradicts what is stored.
 */
export interface UnitOfWork<C> {
  /** A property, so that a unit of work for few kinds of change is never taken for one for all. */
  readonly commit: (changes: readonly C[]) => Promise<Result<void>>
}
