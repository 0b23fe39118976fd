export { StateFile, readState } from './state-file.ts'
export type { InstanceRecord, StoredService } from './state.ts'
