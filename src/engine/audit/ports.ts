import type { Result } from '../../base/index.ts'
import type { AuditEntry } from '../../contract/index.ts'
import type { AuditDraft, NotedEnd } from './chain.ts'

/** An entry, added to the end of the chain in the transaction of what it tells of. */
export interface AuditChange {
  kind: 'addAudit'
  entry: AuditDraft
}

/** `entries` as changes, in their order. */
export const audited = (entries: readonly AuditDraft[]): AuditChange[] =>
  entries.map((entry) => ({ kind: 'addAudit', entry }))

interface AuditFilter {
  actor?: string
  target?: string
  /** Anywhere in an entry, whatever its case. */
  text?: string
  fromMs?: number
  toMs?: number
  limit: number
  beforeSeq?: number
}

/** Port: the audit log at rest. Entries are added by the unit of work, with what they tell of. */
export interface AuditStore {
  /** Newest first. */
  audit(filter: AuditFilter): Promise<Result<AuditEntry[]>>
  /** Oldest first, from `fromSeq` on, at most `limit`: what a check of the chain walks over. */
  auditFrom(fromSeq: number, limit: number): Promise<Result<AuditEntry[]>>
  /** The entry that was written last, as it is noted beside the log. */
  auditEnd(): Promise<Result<NotedEnd>>
}
