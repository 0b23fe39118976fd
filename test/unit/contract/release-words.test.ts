import { describe, expect, it } from 'vitest'
import { releaseChange } from '../../../src/contract/index.ts'

describe('what a deployment changes', () => {
  it('is the way from one release to the other, and no way from nothing', () => {
    expect(releaseChange({ stableReleaseId: 'r41', candidateReleaseId: 'r42' })).toBe('r41 → r42')
    expect(releaseChange({ stableReleaseId: null, candidateReleaseId: 'r1' })).toBe('r1 (first release)')
  })
})
