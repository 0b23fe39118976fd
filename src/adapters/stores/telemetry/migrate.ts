import type { Database } from 'better-sqlite3'
import { pendingSteps, type SchemaStep } from '../schema/index.ts'

/** One step of the telemetry database's schema; it runs in the store's worker, which is synchronous throughout. */
export type TelemetryMigration = SchemaStep<(database: Database) => void>

/** What a file whose newest step is `version`, 0 for a new one, lacks. Throws STORE_TOO_NEW when that step is unknown. */
export function pendingMigrations(
  migrations: readonly TelemetryMigration[],
  version: number,
  file: string,
): TelemetryMigration[] {
  const known: { version: number }[] = migrations.filter((step) => step.version <= version)
  const isKnown = version === 0 || known.at(-1)?.version === version
  return pendingSteps(migrations, isKnown ? known : [...known, { version }], file)
}

/** Takes all pending steps, or none. The version in the file's head is that of its newest step. */
export function migrate(db: Database, pending: readonly TelemetryMigration[], applicationId: number): void {
  const newest = pending.at(-1)
  if (!newest) return
  db.transaction(() => {
    for (const step of pending) step.up(db)
    db.pragma(`application_id = ${applicationId}`)
    db.pragma(`user_version = ${newest.version}`)
  }).immediate()
}
