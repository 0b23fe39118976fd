import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** The emergency that an order to resume has ended: it is stored before the router is told. */
export const endedEmergency: Migration = {
  version: 110,
  name: 'ended-emergency',
  async up(database) {
    await sql`ALTER TABLE services ADD COLUMN ended_emergency TEXT`.execute(database)
  },
}
