import { AppError } from '../../../base/index.ts'
import { sql, type Kysely, type Transaction } from 'kysely'

/** One step of the schema. Once released it never changes; what comes after is a new step. */
export interface Migration {
  /** Rises in tens, so that a correction fits in between. */
  version: number
  name: string
  up(database: Transaction<unknown>): Promise<void>
}

/** Throws when steps are not in rising order: a defect of this program. */
export function checkOrder(migrations: readonly Migration[]): void {
  for (const [index, { version, name }] of migrations.entries()) {
    const before = migrations[index - 1]?.version ?? 0
    if (!Number.isInteger(version) || version <= before) {
      throw new Error(`migration ${version} ${name} must have a whole number above ${before}`)
    }
  }
}

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

export interface SchemaState {
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
  checkOrder(migrations)
  const done = await applied(database)
  const unknown = done.find((step) => !migrations.some(({ version }) => version === step.version))
  if (unknown) {
    const known = migrations.at(-1)?.version ?? 0
    throw new AppError(
      'STORE_TOO_NEW',
      `${file} has schema step ${unknown.version} (${unknown.name}); this Pilothouse knows up to ${known}.`,
      { details: { file, found: unknown.version, known } },
    )
  }
  const pending = migrations.filter(({ version }) => !done.some((step) => step.version === version))
  return { version: done.at(-1)?.version ?? 0, pending }
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
