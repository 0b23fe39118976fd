/** A share as a person reads it: `0.3 %`, `12 %`, `0.004 %`. */
export function percent(ratio: number, more = 0): string {
  const value = ratio * 100
  if (value === 0) return '0 %'
  const digits = value >= 10 ? 0 : value >= 0.1 ? 1 : 3
  return `${trimmed(value, digits + more)} %`
}

/** The same, with as many digits as it takes to tell it from a limit that it is not equal to: `1.04 %`, not `1 %`. */
export function percentBeside(limit: number, ratio: number): string {
  let more = 0
  while (ratio !== limit && more < 4 && percent(ratio, more) === percent(limit, more)) more++
  return percent(ratio, more)
}

/** A latency as a person reads it: `1.4 ms`, `130 ms`, `2.1 s`. */
export function milliseconds(value: number): string {
  if (value >= 1000) return `${trimmed(value / 1000, 1)} s`
  return `${trimmed(value, value >= 10 ? 0 : 1)} ms`
}

export const times = (factor: number): string => (factor === 2 ? 'twice' : `${trimmed(factor, 1)} times`)

const trimmed = (value: number, digits: number): string => String(Number(value.toFixed(digits)))
