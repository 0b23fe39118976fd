import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unitSchema } from '../../../../src/contract/index.ts'
import { quantity, quantityText } from '../../../../src/renderer/format/index.ts'

const nbsp = '\u00a0'

describe('a quantity', () => {
  it.each([
    [0, 'ratio', '0', '%'],
    [0.0042, 'ratio', '0.4', '%'],
    [0.412, 'ratio', '41.2', '%'],
    [0.9999, 'ratio', '100', '%'],
    [1.5, 'ratio', '150', '%'],
    [0, 'bytes', '0', 'B'],
    [1023, 'bytes', '1023', 'B'],
    [1024, 'bytes', '1.00', 'KiB'],
    [16_106_127_360, 'bytes', '15.0', 'GiB'],
    [1023.8 * 1024, 'bytes', '1.00', 'MiB'],
    [999.6, 'bytes_per_second', '1.00', 'kB/s'],
    [12_345_678, 'bytes_per_second', '12.3', 'MB/s'],
    [0.5, 'per_second', '0.50', '/s'],
    [1234, 'per_second', '1.23', 'k/s'],
    [12_340, 'count', '12,340', ''],
    [1234.5, 'count', '1,235', ''],
    [0.42, 'count', '0.42', ''],
    [2_500_000, 'count', '2.50', 'M'],
    [0, 'seconds', '0', 's'],
    [0.000_25, 'seconds', '250', 'µs'],
    [0.0123, 'seconds', '12.3', 'ms'],
    [3.2, 'seconds', '3.20', 's'],
    [90_061, 'seconds', `1${nbsp}d${nbsp}1${nbsp}h`, ''],
    [61.4, 'celsius', '61', '°C'],
  ] as const)('shows %d %s as %s %s', (value, unit, figure, sign) => {
    expect(quantity(value, unit)).toEqual({ figure, unit: sign })
  })

  it.each([
    [0, '0'],
    [0.01, '1'],
    [0.0104, '1.04'],
    [0.0025, '0.25'],
    [0.07, '7'],
    [0.000_000_1, '<0.001'],
    [1, '100'],
  ])(
    'shows the share %d exactly as %s %%, so that what is over a limit does not read like it',
    (value, figure) => expect(quantity(value, 'ratio', true)).toEqual({ figure, unit: '%' }),
  )

  it('is a dash without a unit where nothing was measured', () => {
    for (const unit of unitSchema.options) {
      expect(quantity(Number.NaN, unit)).toEqual({ figure: '–', unit: '' })
      expect(quantity(Infinity, unit)).toEqual({ figure: '–', unit: '' })
    }
  })

  it('has a real minus sign, and none before a figure that reads zero', () => {
    expect(quantityText(-0.05, 'ratio')).toBe(`−5.0%`)
    expect(quantityText(-0.0001, 'ratio')).toBe(`0.0%`)
    expect(quantityText(-1234, 'count')).toBe('−1,234')
  })

  it('keeps its unit on the same line', () => {
    expect(quantityText(0.5, 'ratio')).toBe(`50.0%`)
    expect(quantityText(7, 'count')).toBe('7')
  })

  it('never shows more than four digits before the point, but for counts in full and the largest of all', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e12, noNaN: true }),
        fc.constantFrom('bytes', 'bytes_per_second', 'per_second'),
        (value, unit) => {
          const whole = quantity(value, unit).figure.split('.')[0] ?? ''
          expect(whole.length).toBeLessThanOrEqual(4)
        },
      ),
    )
  })

  it('stays within half a percent of the value it shows', () => {
    const sizes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4, PiB: 1024 ** 5 }
    fc.assert(
      fc.property(fc.double({ min: 10, max: 1e17, noNaN: true }), (value) => {
        const { figure, unit } = quantity(value, 'bytes')
        const shown = Number(figure) * sizes[unit as keyof typeof sizes]
        expect(Math.abs(shown - value) / value).toBeLessThan(0.006)
      }),
    )
  })
})
