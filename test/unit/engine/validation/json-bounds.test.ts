import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { excessOf } from '../../../../src/engine/validation/reports/json-bounds.ts'

describe('what a JSON text would take', () => {
  it('is too much beyond 500 levels', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    expect(excessOf(nested(500))).toBe('')
    expect(excessOf(nested(501))).toBe('it is nested too deeply')
    expect(excessOf('[]'.repeat(501))).toBe('')
  })

  it('is too much beyond two million values', () => {
    const wide = (values: number) => `[${'0,'.repeat(values - 2)}0]`
    expect(excessOf(wide(2_000_000))).toBe('')
    expect(excessOf(wide(2_000_002))).toBe('it has more than 2,000,000 values')
  })

  it('does not count what stands in texts, however they are escaped', () => {
    for (const text of ['[,'.repeat(2_000_000), '\\"[{'.repeat(600), '\\'.repeat(1001), '"'.repeat(600)])
      expect(excessOf(JSON.stringify({ text }))).toBe('')
    expect(excessOf(`["\\\\",${'['.repeat(501)}`)).toBe('it is nested too deeply')
  })

  it('is never too much for small JSON, nor an exception for any text', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 20 }), (source) => excessOf(source) === ''))
    fc.assert(fc.property(fc.string(), (source) => typeof excessOf(source) === 'string'))
  })
})
