export { BinLog, keptBinsSchema, type KeptBins } from './bin-log.ts'
export type { Attempt, Ended, Outcome, ReleaseCounts } from './release-counts.ts'
