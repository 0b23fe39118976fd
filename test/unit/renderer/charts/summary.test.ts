import { describe, expect, it } from 'vitest'
import { gapCount, summarise } from '../../../../src/renderer/charts/summary.ts'

describe('the summary of a chart', () => {
  it('says what a glance would', () => {
    expect(
      summarise('CPU', 'last 15 minutes', [
        {
          label: 'Busy',
          newest: '12%',
          least: '3%',
          greatest: '94%',
          greatestAt: '12:31:05',
          gapCount: 1,
        },
        { label: 'Steal' },
      ]),
    ).toBe(
      'CPU, last 15 minutes. Busy is 12%, between 3% and 94% (at 12:31:05), with 1 gap. Steal: nothing was measured.',
    )
  })

  it('counts gaps between measurements, not the time before the first or after the last', () => {
    const { NaN: gap } = Number
    expect(gapCount(Float64Array.of(gap, 1, gap, gap, 2, 3, gap, 4, gap))).toBe(2)
  })
})
