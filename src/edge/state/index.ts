export { StateFile, readState } from './state-file.ts'
export type { InstanceRecord, ServiceRecord } from './state.ts'
