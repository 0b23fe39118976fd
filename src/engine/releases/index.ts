export { releaseHandlers, type ReleaseParts } from './handlers.ts'
export type { ReleaseChange, ReleaseStore } from './ports.ts'
