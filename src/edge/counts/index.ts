export { BinLog } from './bin-log.ts'
export type { Attempt, Outcome, ReleaseCounts } from './release-counts.ts'
