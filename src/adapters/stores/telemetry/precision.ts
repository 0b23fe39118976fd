import type { Unit } from '../../../contract/index.ts'
import type { Precision } from './column.ts'

/**
 * How finely values are kept: finer than any screen shows or rule compares, coarser than the noise of a measurement.
 * Bytes are exact. Rates are rough: the interval they were measured over is itself not known any better.
 */
const precisions: Record<Unit, Precision> = {
  ratio: { scale: 10_000, isRough: false },
  bytes: { scale: 1, isRough: false },
  bytes_per_second: { scale: 1, isRough: true },
  per_second: { scale: 100, isRough: true },
  count: { scale: 100, isRough: false },
  seconds: { scale: 100_000, isRough: false },
  celsius: { scale: 100, isRough: false },
}

export const precisionOf = (unit: Unit): Precision => precisions[unit]
