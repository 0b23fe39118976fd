import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** Which engine may write, until when, and the token that fences off the one before it. */
export const lease: Migration = {
  version: 90,
  name: 'lease',
  async up(database) {
    await sql`
      CREATE TABLE lease (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        owner_host TEXT NOT NULL,
        owner_pid INTEGER NOT NULL,
        token INTEGER NOT NULL,
        taken_at_ms INTEGER NOT NULL,
        heartbeat_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL
      ) STRICT`.execute(database)
  },
}
