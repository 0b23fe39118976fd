import { duration } from '../../../contract/index.ts'
export {
  duration,
  latencyText as milliseconds,
  share as percent,
  shareBeside as percentBeside,
} from '../../../contract/index.ts'

export const times = (factor: number): string => (factor === 2 ? 'twice' : `${trimmed(factor, 1)} times`)

/** `, 3 consecutive failures`; empty when the first failure decides. */
export const consecutiveFailures = (count: number): string =>
  count < 2 ? '' : `, ${count} consecutive failures`

/** `once`, `5 times`. */
export const often = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** ` in 1 min`; empty for less than a second. */
export const within = (ms: number): string => (ms < 1000 ? '' : ` in ${duration(ms)}`)

/** `1 request`, `20 requests`. */
export const requestsText = (count: number): string => `${count} ${count === 1 ? 'request' : 'requests'}`

const trimmed = (value: number, digits: number): string => String(Number(value.toFixed(digits)))
