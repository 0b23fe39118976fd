export {
  canonicalJson,
  chainStart,
  findBreak,
  findEndBreak,
  link,
  type AuditDraft,
  type ChainBreak,
  type ChainEnd,
} from './chain.ts'
export { auditAsCsv, auditAsJsonLines } from './export.ts'
