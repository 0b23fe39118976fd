export {
  canonicalJson,
  chainStart,
  findBreak,
  link,
  type AuditDraft,
  type ChainBreak,
  type ChainEnd,
} from './chain.ts'
export { auditAsCsv, auditAsJsonLines } from './export.ts'
