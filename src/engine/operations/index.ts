export type { DeclareRequest } from './declarations.ts'
export { Operations, type OperationsParts } from './operations.ts'
export type { Configured, Equip, OperatedService } from './roster.ts'
export { storeReleases } from './releases.ts'
