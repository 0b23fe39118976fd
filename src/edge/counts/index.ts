export { BinLog, keptBinsSchema, type KeptBins } from './bin-log.ts'
export type { Attempt, Ended, InstanceFailure, Outcome, ReleaseCounts } from './release-counts.ts'
