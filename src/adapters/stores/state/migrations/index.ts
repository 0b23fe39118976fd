import type { Migration } from '../migrate.ts'
import { journal } from './0010-journal.ts'

/** All steps of the schema, in order. */
export const migrations: readonly Migration[] = [journal]
