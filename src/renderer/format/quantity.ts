import type { Unit } from '../../contract/index.ts'
import { duration, noFigure } from './time.ts'

/** A figure for the eye: the unit is set smaller beside it. */
export interface Quantity {
  figure: string
  unit: string
}

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const
const decimalBytes = ['B/s', 'kB/s', 'MB/s', 'GB/s', 'TB/s'] as const
const perSecond = ['/s', 'k/s', 'M/s', 'G/s'] as const
const counts = ['', 'k', 'M', 'G', 'T'] as const

/**
 * A value in the unit of its series, scaled to three digits. Memory and files are counted in binary steps as the
 * system does; rates in decimal ones. NaN and infinities are "not measured". An exact share has as many digits as what
 * is said of limits, so that what is over one does not read like it.
 */
export function quantity(value: number, unit: Unit, isExact = false): Quantity {
  if (!Number.isFinite(value)) return { figure: noFigure, unit: '' }
  switch (unit) {
    case 'ratio':
      return { figure: (isExact ? exactDigits : percentDigits)(value * 100), unit: '%' }
    case 'bytes':
      return scaled(value, 1024, binary)
    case 'bytes_per_second':
      return scaled(value, 1000, decimalBytes)
    case 'per_second':
      return scaled(value, 1000, perSecond)
    case 'count':
      return Math.abs(value) < 100_000 ? { figure: grouped(value), unit: '' } : scaled(value, 1000, counts)
    case 'seconds':
      return seconds(value)
    case 'celsius':
      return { figure: signed(value, 0), unit: '°C' }
  }
}

/** The same as one text: `1.2 s` with a no-break space before the unit, `50%` without. */
export const quantityText = (value: number, unit: Unit, isExact = false): string =>
  joined(quantity(value, unit, isExact))

/** A figure and its unit as one text. */
export const joined = ({ figure, unit }: Quantity): string => `${figure}${gapBefore(unit)}${unit}`

/** What stands between a figure and its unit. */
export const gapBefore = (unit: string): string => (unit === '' || unit === '%' ? '' : '\u00a0')

function scaled(value: number, step: number, units: readonly string[]): Quantity {
  let size = Math.abs(value)
  let at = 0
  // A half below the step, so that 999.6 kB/s does not read "1000 kB/s".
  while (size >= step - 0.5 && at < units.length - 1) {
    size /= step
    at += 1
  }
  const isWhole = at === 0 && Number.isInteger(value)
  return { figure: signed(Math.sign(value) * size, isWhole ? 0 : digitsFor(size)), unit: units[at] ?? '' }
}

/** Under a second in milliseconds or microseconds, up to a minute in seconds, then in the words of `duration`. */
function seconds(value: number): Quantity {
  const size = Math.abs(value)
  if (size >= 59.95) {
    const text = duration(size * 1000)
    return { figure: value < 0 ? `−${text}` : text, unit: '' }
  }
  if (size >= 0.9995 || size === 0)
    return { figure: signed(value, size === 0 ? 0 : digitsFor(size)), unit: 's' }
  if (size >= 0.0009995) return { figure: signed(value * 1e3, digitsFor(size * 1e3)), unit: 'ms' }
  return { figure: signed(value * 1e6, digitsFor(size * 1e6)), unit: 'µs' }
}

function percentDigits(value: number): string {
  return signed(value, Math.abs(value) >= 99.95 || value === 0 ? 0 : 1)
}

function exactDigits(value: number): string {
  return value > 0 && value < 0.001 ? '<0.001' : String(Number(value.toPrecision(3)))
}

function digitsFor(size: number): number {
  if (size >= 99.95) return 0
  return size >= 9.995 ? 1 : 2
}

/** With a real minus sign, and no minus before a figure that reads zero. */
function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits)
  return value < 0 && Number(text) !== 0 ? `−${text}` : text
}

function grouped(value: number): string {
  const text = signed(value, Number.isInteger(value) ? 0 : digitsFor(Math.abs(value)))
  const [whole = '', fraction] = text.split('.')
  const spaced = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? spaced : `${spaced}.${fraction}`
}
