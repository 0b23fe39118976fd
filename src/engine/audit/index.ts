export {
  canonicalJson,
  chainStart,
  findBreak,
  link,
  type Anchor,
  type AuditDraft,
  type ChainEnd,
  type VouchStart,
} from './chain.ts'
export { auditAsCsv, auditAsJsonLines } from './export.ts'
export { auditHandlers, type AuditParts } from './handlers.ts'
export { verifyAudit } from './log.ts'
export { audited, type AuditChange, type AuditStore } from './ports.ts'
export { newKeyEntry, sealTroubleText } from './seal-at-start.ts'
export { RefusalLog, type Refusal } from './refusals.ts'
