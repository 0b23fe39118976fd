import { describe, expect, it } from 'vitest'
import { isOlder } from '../../../src/hosts/edge/upgrade.ts'

describe('versions of the edge', () => {
  it.each([
    ['1.2.3', '1.2.4'],
    ['1.9.0', '1.10.0'],
    ['0.0.0-development', '0.1.0'],
    ['2.0.0-beta.2', '2.0.0-beta.10'],
    ['2.0.0-beta.2', '2.0.0'],
    ['1.2', '1.2.1'],
  ])('%s comes before %s, and not the other way round', (older, newer) => {
    expect(isOlder(older, newer)).toBe(true)
    expect(isOlder(newer, older)).toBe(false)
    expect(isOlder(older, older)).toBe(false)
  })
})
