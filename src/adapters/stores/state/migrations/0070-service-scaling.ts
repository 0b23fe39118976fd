import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** The declared number of instances of each service, so that a change is noticed and done after a restart too. */
export const serviceScaling: Migration = {
  version: 70,
  name: 'service-scaling',
  async up(database) {
    await sql`ALTER TABLE services ADD COLUMN scaling TEXT`.execute(database)
  },
}
