export { addCounts, countsOf, errorRatio, noCounts, quantileMs, type Counts } from './counts.ts'
export type { Judge, JudgeContext, JudgeMemory, JudgeReply, JudgeRequest } from './ports.ts'
export { thresholdJudge } from './threshold/judge.ts'
