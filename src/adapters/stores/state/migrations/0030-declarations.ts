import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** Services that were declared over the API. */
export const declarations: Migration = {
  version: 30,
  name: 'declarations',
  async up(database) {
    await sql`
      CREATE TABLE declarations (
        service TEXT PRIMARY KEY,
        written TEXT NOT NULL,
        declared_by TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        is_leaving INTEGER NOT NULL
      ) STRICT`.execute(database)
  },
}
