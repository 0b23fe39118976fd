import { sql, type Kysely, type Transaction } from 'kysely'
import { pendingSteps, type SchemaStep } from '../schema/index.ts'

/** One step of the state database's schema. */
export type Migration = SchemaStep<(database: Transaction<unknown>) => Promise<void>>

interface Applied {
  version: number
  name: string
}

async function applied(database: Kysely<unknown>): Promise<Applied[]> {
  const table = await sql`SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'`.execute(database)
  if (table.rows.length === 0) return []
  const all = await sql<Applied>`SELECT version, name FROM schema_migrations ORDER BY version`.execute(
    database,
  )
  return all.rows
}

interface SchemaState {
  /** 0 for a new database. */
  version: number
  pending: readonly Migration[]
}

/** What `database` has and lacks. Throws STORE_TOO_NEW when it has steps this program does not know. */
export async function schemaState(
  database: Kysely<unknown>,
  migrations: readonly Migration[],
  file: string,
): Promise<SchemaState> {
  const done = await applied(database)
  return { version: done.at(-1)?.version ?? 0, pending: pendingSteps(migrations, done, file) }
}

/** Takes all pending steps, or none: one transaction. */
export async function migrate(
  database: Kysely<unknown>,
  pending: readonly Migration[],
  atMs: number,
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await sql`
      CREATE TABLE IF NOT EXISTS schema_migrations (
        version INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        applied_at_ms INTEGER NOT NULL
      ) STRICT`.execute(transaction)
    for (const step of pending) {
      await step.up(transaction)
      await sql`
        INSERT INTO schema_migrations (version, name, applied_at_ms)
        VALUES (${step.version}, ${step.name}, ${atMs})`.execute(transaction)
    }
  })
}
