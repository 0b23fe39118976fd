import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Unit } from '../../../../src/contract/index.ts'
import { UnitJumps } from '../../../../src/engine/telemetry/quality-unit-jump.ts'

function jumpsIn(unit: Unit, values: number[]): number {
  const jumps = new UnitJumps()
  jumps.grow(1)
  return values.filter((value) => jumps.observe(0, unit, value)).length
}
const times = (count: number, value: number) => Array.from({ length: count }, () => value)

describe('a unit jump', () => {
  it.each<[string, Unit, number, number]>([
    ['bytes that become kB', 'bytes', 16e9, 16e6],
    ['bytes that become KiB', 'bytes', 16e9, 16e9 / 1024],
    ['KiB that become bytes', 'bytes', 16e9 / 1024, 16e9],
    ['seconds that become milliseconds', 'seconds', 0.25, 250],
    ['a ratio that becomes percent', 'ratio', 0.43, 43],
  ])('is found in %s, once', (_name, unit, before, after) => {
    expect(jumpsIn(unit, [...times(10, before), ...times(50, after)])).toBe(1)
  })

  it('is found each time a unit goes there and back', () => {
    expect(jumpsIn('bytes', [...times(10, 5e9), ...times(10, 5e6), ...times(10, 5e9)])).toBe(2)
  })

  it.each<[string, Unit, number[]]>([
    ['a single odd value', 'bytes', [...times(10, 5e9), 5e6, ...times(10, 5e9)]],
    ['a fall to nothing', 'bytes_per_second', [...times(10, 5e6), ...times(10, 0)]],
    ['a rise from nothing', 'bytes_per_second', [...times(10, 0), ...times(10, 5e6)]],
    ['another factor', 'bytes', [...times(10, 5e9), ...times(10, 5e6 * 1.2)]],
    ['a burst that does not stand', 'bytes_per_second', [...times(10, 1e3), 1e6, 2e6, 1e5, 1e3, 1e3]],
    ['a CPU that falls from 50 % to half a percent', 'ratio', [...times(10, 0.5), ...times(10, 0.005)]],
    ['a CPU a little above 1', 'ratio', times(50, 1.02)],
    ['a temperature', 'celsius', [...times(10, 0.05), ...times(10, 50)]],
  ])('is not seen in %s', (_name, unit, values) => {
    expect(jumpsIn(unit, values)).toBe(0)
  })

  it('is seldom seen in rates that wander over six decades', () => {
    const decades = fc.double({ min: 0, max: 6, noNaN: true })
    fc.assert(
      fc.property(fc.array(decades, { minLength: 100, maxLength: 100 }), (exponents) => {
        expect(
          jumpsIn(
            'bytes_per_second',
            exponents.map((each) => 10 ** each),
          ),
        ).toBe(0)
      }),
      { seed: 7 },
    )
  })
})
