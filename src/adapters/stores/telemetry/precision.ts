import type { Unit } from '../../../contract/index.ts'
import { allBits, type Precision } from './column.ts'

/**
 * How finely values are kept: finer than a screen shows or a rule compares, coarser than the noise of a measurement.
 * A share or a rate over 1 s is itself hardly known to 1 in 1024 (the clock of a CPU ticks 100 times in it); of 16 GB of
 * memory, a megabyte is noise. Scales that are powers of two keep 100 %, 50 % and small whole numbers exact where only
 * some binary digits are kept.
 */
const precisions: Record<Unit, Precision> = {
  ratio: { scale: 2 ** 16, bits: 10 },
  bytes: { scale: 1, bits: 13 },
  bytes_per_second: { scale: 1, bits: 10 },
  per_second: { scale: 2 ** 7, bits: 10 },
  count: { scale: 100, bits: allBits },
  seconds: { scale: 2 ** 17, bits: 24 },
  celsius: { scale: 100, bits: allBits },
}

export const precisionOf = (unit: Unit): Precision => precisions[unit]
