export { openAuditSeal, type AuditSeal } from './audit-seal.ts'
export { newestBackup } from './dialects/sqlite/index.ts'
export { openStateStore, type StateStore, type StateStoreOptions } from './store.ts'
