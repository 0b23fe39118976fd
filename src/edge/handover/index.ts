export { finishWithinMs, Handover, requireHandover } from './hand-over.ts'
export { Predecessor } from './take-over.ts'
