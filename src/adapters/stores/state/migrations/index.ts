import type { Migration } from '../migrate.ts'
import { journal } from './0010-journal.ts'
import { deployments } from './0020-deployments.ts'
import { declarations } from './0030-declarations.ts'
import { auditEnd } from './0040-audit-end.ts'

/** All steps of the schema, in order. */
export const migrations: readonly Migration[] = [journal, deployments, declarations, auditEnd]
