import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearest } from '../../../../src/engine/config/nearest.ts'

const word = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') })

describe('the edit distance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['port', 'prot', 1],
    ['kitten', 'sitting', 3],
    ['level', 'lvel', 1],
  ])('from %j to %j is %i', (a, b, distance) => expect(editDistance(a, b)).toBe(distance))

  it('is the same both ways, zero only for the same word, and at most the longer length', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})

describe('the nearest word', () => {
  const keys = ['host', 'port', 'allowedOrigins', 'production']

  it.each([
    ['prot', 'port'],
    ['ALLOWED_ORIGINS', 'allowedOrigins'],
    ['prod', 'production'],
    ['hst', 'host'],
  ])('to %s is %s', (typed, meant) => expect(nearest(typed, keys)).toBe(meant))

  it('is none when nothing is near', () => {
    for (const typed of ['zebra', 'x', '', 'p'.repeat(500)]) expect(nearest(typed, keys)).toBeUndefined()
  })
})
