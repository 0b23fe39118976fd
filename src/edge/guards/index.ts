export { AddressList, plainAddress } from './address-list.ts'
export type { AttemptEnd } from './breaker.ts'
export { Gate, type Refusal } from './gate.ts'
