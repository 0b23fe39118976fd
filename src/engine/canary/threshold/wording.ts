import { duration } from '../../../contract/index.ts'
export {
  latencyText as milliseconds,
  share as percent,
  shareBeside as percentBeside,
} from '../../../contract/index.ts'

export const times = (factor: number): string => (factor === 2 ? 'twice' : `${trimmed(factor, 1)} times`)

const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']

/** `, two checks in a row`; nothing where one check decides. */
export const inARow = (checks: number): string =>
  checks < 2 ? '' : `, ${numbers[checks] ?? checks} checks in a row`

/** `once`, `5 times`. */
export const often = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** ` in 1 min`; nothing for less than a second. */
export const within = (ms: number): string => (ms < 1000 ? '' : ` in ${duration(ms)}`)

/** `1 request`, `20 requests`. */
export const requestsText = (count: number): string => `${count} ${count === 1 ? 'request' : 'requests'}`

const trimmed = (value: number, digits: number): string => String(Number(value.toFixed(digits)))
