import { describe, expect, it } from 'vitest'
import { share, shareBeside, weightText, writtenShare } from '../../../src/contract/index.ts'

describe('a share of a whole', () => {
  it.each([
    [null, '–'],
    [0, '0%'],
    [0.000001, '<0.001%'],
    [0.00004, '0.004%'],
    [0.001, '0.1%'],
    [0.0234, '2.3%'],
    [0.123, '12%'],
    [0.5, '50%'],
    [0.9964, '99.6%'],
    [0.9999999, '>99.999%'],
    [1, '100%'],
    [1.2, '120%'],
  ])('reads %d as %s: never nothing for something, nor all for less', (ratio, text) =>
    expect(share(ratio)).toBe(text),
  )

  it('has as many digits as it takes to tell it from a limit', () => {
    expect(shareBeside(0.01, 0.0104)).toBe('1.04%')
    expect(shareBeside(0.01, 0.0417)).toBe('4.2%')
    expect(shareBeside(0.01, 0.01)).toBe('1%')
  })

  it.each([
    [0.07, '7%'],
    [0.0005, '0.05%'],
    [0.55, '55%'],
    [100, '10000%'],
  ])('keeps every digit of the limit %d: %s', (ratio, text) => expect(writtenShare(ratio)).toBe(text))

  it('writes a weight as it was planned', () => {
    expect([0, 2.5, 33.3, 100].map(weightText)).toEqual(['0%', '2.5%', '33.3%', '100%'])
  })
})
