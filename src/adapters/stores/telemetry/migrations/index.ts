import type { TelemetryMigration } from '../migrate.ts'
import { chunks } from './0001-chunks.ts'

/** All steps of the schema, in order. */
export const migrations: readonly TelemetryMigration[] = [chunks]
