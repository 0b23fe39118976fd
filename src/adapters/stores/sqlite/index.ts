export { sqliteCodeOf, sqliteTroubleOf } from './trouble.ts'
