import { describe, expect, it } from 'vitest'
import { nameSchema, ofRelease, weightOf, weightsSchema } from '../../../src/contract/index.ts'

describe('a map by release', () => {
  it('holds what was put there, and nothing that every object has', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'r1', '10']) {
      expect(ofRelease({}, name), name).toBeUndefined()
      expect(weightOf({}, name), name).toBe(0)
    }
    const weights = weightsSchema.parse(JSON.parse('{"constructor": 10, "9": 20, "10": 30, "r1": 40}'))
    expect(['constructor', '9', '10', 'r1'].map((name) => weightOf(weights, name))).toEqual([10, 20, 30, 40])
  })

  it('never holds one called "__proto__": that is no name', () => {
    expect(nameSchema.safeParse('__proto__').success).toBe(false)
    for (const name of ['10', '9', '2024', 'r1', 'constructor'])
      expect(nameSchema.safeParse(name).success, name).toBe(true)
  })
})
