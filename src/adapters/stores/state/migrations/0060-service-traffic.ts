import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** Requests, errors and latencies of each service by minute, for charts of the last hours. */
export const serviceTraffic: Migration = {
  version: 60,
  name: 'service-traffic',
  async up(database) {
    const statements = [
      sql`
        CREATE TABLE service_traffic (
          service TEXT NOT NULL,
          at_ms INTEGER NOT NULL,
          release_id TEXT NOT NULL,
          body TEXT NOT NULL,
          PRIMARY KEY (service, at_ms, release_id)
        ) STRICT, WITHOUT ROWID`,
      sql`CREATE INDEX service_traffic_by_time ON service_traffic (at_ms)`,
    ]
    for (const statement of statements) await statement.execute(database)
  },
}
