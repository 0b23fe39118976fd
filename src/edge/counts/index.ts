export { BinLog, keptBinsSchema } from './bin-log.ts'
export type { Attempt, InstanceFailure, Outcome, ReleaseCounts } from './release-counts.ts'
