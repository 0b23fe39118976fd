export { openAuditSeal, type AuditSeal } from './audit-seal.ts'
export { newestBackup } from './backups.ts'
export { openStateStore, type StateStore, type StateStoreOptions } from './store.ts'
