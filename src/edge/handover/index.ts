export { Handover, requireHandover } from './hand-over.ts'
export type { Inheritance } from './messages.ts'
export { Predecessor } from './take-over.ts'
