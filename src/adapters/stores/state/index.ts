export { openAuditSeal, type AuditSeal } from './audit-seal.ts'
export { readAuditLog, type ReadAuditLog } from './audit-log.ts'
export { newestBackup } from './dialects/sqlite/index.ts'
export { openStateStore, type StateStore, type StateStoreOptions } from './store.ts'
