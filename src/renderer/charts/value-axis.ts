import type { Unit } from '../../contract/index.ts'

/** A vertical axis: from `min` to `max` with a line every `step`, in the unit of the series. */
export interface ValueAxis {
  min: number
  max: number
  step: number
}

export interface AxisBounds {
  /** Least upper end, so that noise near zero does not fill the chart. */
  leastMax: number
  /** Upper end that never moves, where the unit has one: 1 for a share of the whole. */
  fixedMax?: number
}

/** Lines aimed at between both ends. */
const wantedSteps = 4
/** Beyond this, what was measured is nonsense, and steps of it would leave the numbers there are. */
const farthest = 1e300
/** The axis shrinks only when the data needs less than this share of it, so that it does not breathe. */
const shrinkBelow = 0.4

/** The least of 1, 2, 5 x 10^n that is at least `value`; for bytes counted in binary steps, as they are shown. */
export function niceStep(value: number, unit: Unit): number {
  if (!(value > 0)) return 1
  let base = 1
  if (unit === 'bytes') {
    while (value / base > 512) base *= 1024
  }
  const power = 10 ** Math.floor(Math.log10(value / base))
  const mantissa = value / base / power
  const nice = mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10
  const step = nice * power * base
  return unit === 'count' ? Math.max(1, step) : step
}

/**
 * The axis for values from `low` to `high`. Begins at zero unless something lies below it; keeps `previous` as long
 * as that still fits well.
 */
export function valueAxis(
  low: number,
  high: number,
  unit: Unit,
  bounds: AxisBounds,
  previous?: ValueAxis,
): ValueAxis {
  if (bounds.fixedMax !== undefined && !(high > bounds.fixedMax)) {
    return { min: 0, max: bounds.fixedMax, step: bounds.fixedMax / wantedSteps }
  }
  const top = Math.min(farthest, Math.max(Number.isFinite(high) ? high : 0, bounds.leastMax))
  const bottom = Math.max(-farthest, Number.isFinite(low) ? Math.min(0, low) : 0)
  if (
    previous &&
    previous.max >= top &&
    previous.min <= bottom &&
    top - bottom >= (previous.max - previous.min) * shrinkBelow
  ) {
    return previous
  }
  const step = niceStep((top - bottom) / wantedSteps, unit)
  return { min: Math.floor(bottom / step) * step, max: Math.ceil(top / step) * step, step }
}

/** The values at which lines stand, both ends included. */
export function axisTicks({ min, max, step }: ValueAxis): number[] {
  const count = Math.round((max - min) / step)
  return Array.from({ length: count + 1 }, (_, index) => min + index * step)
}
