import { describe, expect, it } from 'vitest'
import { percent, percentBeside } from '../../../../src/engine/canary/threshold/wording.ts'

describe('a share in the words of the judge', () => {
  it('has the digits that a person reads', () => {
    expect([0, 0.003, 0.12, 0.00004].map((ratio) => percent(ratio))).toEqual(['0%', '0.3%', '12%', '0.004%'])
  })

  it('does not read like a limit that it is not equal to', () => {
    expect(percentBeside(0.01, 0.0104)).toBe('1.04%')
    expect(percentBeside(0.12, 0.1204)).toBe('12.04%')
    expect(percentBeside(0.01, 0.01)).toBe('1%')
    expect(percentBeside(0.01, 0.034)).toBe('3.4%')
  })
})
