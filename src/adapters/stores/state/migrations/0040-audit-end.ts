import { sql } from 'kysely'
import { chainStart } from '../../../../engine/audit/index.ts'
import type { Migration } from '../migrate.ts'

/** Where the audit log ends, kept beside it: that newest entries were taken out is noticed. */
export const auditEnd: Migration = {
  version: 40,
  name: 'audit-end',
  async up(database) {
    const statements = [
      sql`
        CREATE TABLE audit_end (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          seq INTEGER NOT NULL,
          hash TEXT NOT NULL
        ) STRICT`,
      sql`INSERT INTO audit_end VALUES (1, ${chainStart.seq}, ${chainStart.hash})`,
      sql`REPLACE INTO audit_end SELECT 1, seq, hash FROM audit ORDER BY seq DESC LIMIT 1`,
    ]
    for (const statement of statements) await statement.execute(database)
  },
}
