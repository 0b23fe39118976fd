import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'
import { unknownKey, unsealedLog } from '../audit-keys.ts'

/** The keys that sealed the audit log, each from which entry on: that one was replaced is noticed. */
export const auditKeys: Migration = {
  version: 80,
  name: 'audit-keys',
  async up(database) {
    await sql`
      CREATE TABLE audit_keys (
        id INTEGER PRIMARY KEY,
        from_seq INTEGER NOT NULL,
        fingerprint TEXT NOT NULL
      ) STRICT`.execute(database)
    // Of a database that was in use: it was sealed by a key that is not on record, or not yet sealed.
    await sql`
      INSERT INTO audit_keys
      SELECT 1, 0, CASE seal WHEN '' THEN ${unsealedLog} ELSE ${unknownKey} END FROM audit_end
      WHERE EXISTS (SELECT 1 FROM launches)`.execute(database)
  },
}
