import type { Block } from './block.ts'
import type { Precision } from './column.ts'

/** Rows of one host with the same series, as they travel to the worker. */
export interface RowBatch {
  hostId: string
  seriesIds: Float64Array
  timesMs: Float64Array
  /** Row-major: a row for each of `timesMs`, a column for each of `seriesIds`. */
  values: Float64Array
}

/** Columns of the rows named (of all when undefined), of those series that have a precision. */
export function blockOf(
  batch: RowBatch,
  rows: readonly number[] | undefined,
  precisionOf: (seriesId: number) => Precision | undefined,
): Block {
  const chosen = rows ?? [...batch.timesMs.keys()]
  const width = batch.seriesIds.length
  return {
    timesMs: Float64Array.from(chosen, (row) => batch.timesMs[row] ?? NaN),
    columns: Array.from(batch.seriesIds).flatMap((key, column) => {
      const precision = precisionOf(key)
      if (!precision) return []
      return [
        {
          key,
          ...precision,
          values: Float64Array.from(chosen, (row) => batch.values[row * width + column] ?? NaN),
        },
      ]
    }),
  }
}
