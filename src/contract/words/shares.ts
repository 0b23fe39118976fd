import { noFigure } from './time.ts'

/**
 * A measured share of a whole: `0.3%`, `12%`, `0.004%`. Never `0%` for something nor `100%` for less than all; `more`
 * adds digits. `–` where nothing was measured.
 */
export function share(ratio: number | null, more = 0): string {
  if (ratio === null || !Number.isFinite(ratio)) return noFigure
  const value = ratio * 100
  if (value > 0 && value < 0.0005) return '<0.001%'
  const digits = value >= 10 || value === 0 ? 0 : value >= 0.1 ? 1 : 3
  for (let extra = more; extra < more + 4; extra++) {
    const shown = Number(value.toFixed(digits + extra))
    if (shown !== 100 || value >= 100) return `${shown}%`
  }
  return '>99.999%'
}

/** The same, with as many digits as it takes to tell it from a limit that it is not equal to: `1.04%`, not `1%`. */
export function shareBeside(limit: number, ratio: number): string {
  let more = 0
  while (ratio !== limit && more < 4 && share(ratio, more) === share(limit, more)) more++
  return share(ratio, more)
}

/** A limit or a weight, with every digit that someone wrote: 0.07 is `7%`, 0.0005 is `0.05%`. */
export const writtenShare = (ratio: number): string => `${Number((ratio * 100).toPrecision(12))}%`

/** A share of traffic that stands in percent already: 25 is `25%`. */
export const weightText = (percent: number): string => writtenShare(percent / 100)
