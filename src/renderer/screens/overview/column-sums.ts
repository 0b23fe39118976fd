import type { SampleColumns } from '../../state/sample-hub.ts'

/** Each value put through `change`. */
export function combine(
  { timesMs, values }: SampleColumns,
  change: (value: number) => number,
): SampleColumns {
  return { timesMs, values: values.map(change) }
}

/** The sum at each time at which any of them has a sample; what is not a number counts as nothing. */
export function sumColumns(all: readonly SampleColumns[]): SampleColumns {
  const [first, ...others] = all
  if (!first) return { timesMs: new Float64Array(), values: new Float64Array() }
  return others.reduce(sumOfTwo, first)
}

function sumOfTwo(a: SampleColumns, b: SampleColumns): SampleColumns {
  const timesMs = new Float64Array(a.timesMs.length + b.timesMs.length)
  const values = new Float64Array(timesMs.length)
  let atA = 0
  let atB = 0
  let length = 0
  while (atA < a.timesMs.length || atB < b.timesMs.length) {
    const timeA = a.timesMs[atA] ?? Infinity
    const timeB = b.timesMs[atB] ?? Infinity
    const timeMs = Math.min(timeA, timeB)
    const valueA = timeA === timeMs ? (a.values[atA++] ?? Number.NaN) : Number.NaN
    const valueB = timeB === timeMs ? (b.values[atB++] ?? Number.NaN) : Number.NaN
    timesMs[length] = timeMs
    values[length] = Number.isNaN(valueA) ? valueB : Number.isNaN(valueB) ? valueA : valueA + valueB
    length += 1
  }
  return { timesMs: timesMs.subarray(0, length), values: values.subarray(0, length) }
}
