import { AppError, fail, ok, type Result } from '../../../base/index.ts'
import { join } from 'node:path'
import type { AuditStore } from '../../../engine/audit/index.ts'
import { auditStore } from './aggregates/audit.ts'
import { readAuditSeal } from './audit-seal.ts'
import { failureOf, readDatabase, sqlite } from './dialects/sqlite/index.ts'
import { migrations } from './migrations/index.ts'

/** The audit log of a data directory, as nobody changes it here. */
export type ReadAuditLog = AuditStore & AsyncDisposable

/**
 * Opens the audit log of a data directory that no engine uses, to be read alone. Fails as the state store does, and with
 * CONFLICT where the key of the log is gone: nothing vouches for it then.
 */
export async function readAuditLog(directory: string): Promise<Result<ReadAuditLog>> {
  const file = join(directory, 'state.sqlite')
  const failed = (thrown: unknown): Result<never> => {
    if (thrown instanceof AppError) return fail(thrown)
    const failure = failureOf(thrown, file, null)
    if (failure) return fail(failure)
    throw thrown
  }
  try {
    const seal = readAuditSeal(directory)
    if (seal === null)
      return fail(
        new AppError(
          'CONFLICT',
          `The key of the audit log, ${join(directory, 'audit.key')} is missing, so the log cannot be verified.`,
        ),
      )
    const { query } = await readDatabase(file, migrations)
    const run = async <T>(read: () => Promise<T>): Promise<Result<T>> => {
      try {
        return ok(await read())
      } catch (thrown) {
        return failed(thrown)
      }
    }
    return ok({
      ...auditStore({ query, dialect: sqlite, run }, seal),
      [Symbol.asyncDispose]: () => query.destroy(),
    })
  } catch (thrown) {
    return failed(thrown)
  }
}
