import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** Notices and launches. Both only grow: what happened is not changed afterwards. */
export const journal: Migration = {
  version: 10,
  name: 'journal',
  async up(database) {
    await sql`
      CREATE TABLE notices (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        at_ms INTEGER NOT NULL,
        severity TEXT NOT NULL CHECK (severity IN ('info', 'ok', 'warning', 'critical')),
        text TEXT NOT NULL,
        link TEXT NOT NULL
      ) STRICT`.execute(database)
    await sql`
      CREATE TRIGGER notices_stay BEFORE UPDATE ON notices
      BEGIN SELECT raise(ABORT, 'notices are not changed'); END`.execute(database)
    await sql`
      CREATE TABLE launches (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        epoch TEXT NOT NULL UNIQUE,
        version TEXT NOT NULL,
        started_at_ms INTEGER NOT NULL,
        stopped_at_ms INTEGER
      ) STRICT`.execute(database)
    await sql`
      CREATE TABLE write_probe (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        at_ms INTEGER NOT NULL
      ) STRICT`.execute(database)
  },
}
