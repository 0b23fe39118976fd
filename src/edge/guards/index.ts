export { AddressList, plainAddress } from './address-list.ts'
export type { AttemptEnd } from './breaker.ts'
export { Gate, type GuardRefusal } from './gate.ts'
