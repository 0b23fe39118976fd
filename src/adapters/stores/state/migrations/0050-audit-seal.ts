import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** The seal of where the audit log ends; empty until the first entry that is sealed. */
export const auditSeal: Migration = {
  version: 50,
  name: 'audit-seal',
  async up(database) {
    await sql`ALTER TABLE audit_end ADD COLUMN seal TEXT NOT NULL DEFAULT ''`.execute(database)
  },
}
