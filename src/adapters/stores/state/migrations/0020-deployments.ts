import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/**
 * Services, releases, deployments with their events and evidence, and the audit log. Releases, events and audit
 * entries are never changed; the database itself refuses it.
 */
export const deployments: Migration = {
  version: 20,
  name: 'deployments',
  async up(database) {
    const statements = [
      sql`
        CREATE TABLE services (
          name TEXT PRIMARY KEY,
          stable_release_id TEXT,
          instances INTEGER NOT NULL,
          automation_stopped TEXT,
          revision INTEGER NOT NULL
        ) STRICT`,
      sql`
        CREATE TABLE releases (
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          service TEXT NOT NULL,
          id TEXT NOT NULL,
          body TEXT NOT NULL,
          UNIQUE (service, id)
        ) STRICT`,
      sql`
        CREATE TABLE deployments (
          seq INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL UNIQUE,
          service TEXT NOT NULL,
          phase TEXT NOT NULL,
          stable_release_id TEXT,
          candidate_release_id TEXT NOT NULL,
          created_by TEXT NOT NULL,
          created_at_ms INTEGER NOT NULL,
          ended_at_ms INTEGER,
          reason TEXT NOT NULL,
          why TEXT NOT NULL,
          body TEXT NOT NULL
        ) STRICT`,
      sql`CREATE INDEX deployments_by_service ON deployments (service, seq)`,
      sql`CREATE INDEX deployments_open ON deployments (seq) WHERE ended_at_ms IS NULL`,
      sql`
        CREATE TABLE deployment_events (
          deployment_id TEXT NOT NULL,
          seq INTEGER NOT NULL,
          at_ms INTEGER NOT NULL,
          elapsed_ms REAL NOT NULL,
          event TEXT NOT NULL,
          PRIMARY KEY (deployment_id, seq)
        ) STRICT`,
      sql`
        CREATE TABLE evidence_bins (
          deployment_id TEXT NOT NULL,
          at_ms INTEGER NOT NULL,
          release_id TEXT NOT NULL,
          body TEXT NOT NULL,
          PRIMARY KEY (deployment_id, at_ms, release_id)
        ) STRICT, WITHOUT ROWID`,
      sql`
        CREATE TABLE judge_states (
          deployment_id TEXT PRIMARY KEY,
          memory TEXT NOT NULL,
          cursor TEXT
        ) STRICT`,
      sql`
        CREATE TABLE audit (
          seq INTEGER PRIMARY KEY,
          at_ms INTEGER NOT NULL,
          actor TEXT NOT NULL,
          action TEXT NOT NULL,
          target TEXT NOT NULL,
          why TEXT NOT NULL,
          details TEXT NOT NULL,
          previous_hash TEXT NOT NULL,
          hash TEXT NOT NULL
        ) STRICT`,
      ...['releases', 'deployment_events', 'audit'].flatMap((table) =>
        ['UPDATE', 'DELETE'].map((change) =>
          sql.raw(
            `CREATE TRIGGER ${table}_stay_on_${change.toLowerCase()} BEFORE ${change} ON ${table}
             BEGIN SELECT raise(ABORT, '${table} are not changed'); END`,
          ),
        ),
      ),
    ]
    for (const statement of statements) await statement.execute(database)
  },
}
