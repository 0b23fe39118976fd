export { newestBackup } from './backups.ts'
export { openDatabase, type OpenDatabase } from './database.ts'
export { contains, isTaken } from './expressions.ts'
export { failureOf } from './failures.ts'
