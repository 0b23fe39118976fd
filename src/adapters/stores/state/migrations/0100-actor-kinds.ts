import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** What kind of actor is behind a name; null in rows from before, of which only the name is known. */
export const actorKinds: Migration = {
  version: 100,
  name: 'actor-kinds',
  async up(database) {
    await sql`ALTER TABLE audit ADD COLUMN actor_kind TEXT`.execute(database)
    await sql`ALTER TABLE declarations ADD COLUMN declared_by_kind TEXT`.execute(database)
  },
}
