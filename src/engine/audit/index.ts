export {
  canonicalJson,
  chainStart,
  findBreak,
  findEndBreak,
  link,
  type Anchor,
  type AuditDraft,
  type ChainBreak,
  type ChainEnd,
  type NotedEnd,
  type VouchStart,
} from './chain.ts'
export { anchorAsCsv, anchorAsJsonLine, auditAsCsv, auditAsJsonLines } from './export.ts'
export { auditHandlers, type AuditParts } from './handlers.ts'
export { exportAudit, verifyAudit } from './log.ts'
export { audited, type AuditChange, type AuditFilter, type AuditStore } from './ports.ts'
export { RefusalLog, type Refusal } from './refusals.ts'
