export { openAuditSeal } from './audit-seal.ts'
export { readAuditLog } from './audit-log.ts'
export { newestBackup } from './dialects/sqlite/index.ts'
export { openStateStore, type StateStore, type StateStoreOptions } from './store.ts'
