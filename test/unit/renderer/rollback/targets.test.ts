import { describe, expect, it } from 'vitest'
import { rollbackTargets, wordToType } from '../../../../src/renderer/rollback/rollback-targets.ts'
import { madeService } from '../deployments/made.ts'

const inCanary = (name: string, weight: number, environment = 'development') =>
  madeService({ name, environment, candidateReleaseId: 'r43', weights: { r42: 100 - weight, r43: weight } })

describe('what an emergency rollback would change', () => {
  it('is every service with a candidate, most traffic first, with both releases named', () => {
    const targets = rollbackTargets([inCanary('a', 5), madeService({ name: 'calm' }), inCanary('b', 50)])
    expect(
      targets.map(({ service, from, to, weight }) => `${service}: ${from} → ${to}, ${weight} %`),
    ).toEqual(['b: r43 → r42, 50 %', 'a: r43 → r42, 5 %'])
  })

  it('includes a candidate that has no traffic yet, and no first release: it has nothing to go back to', () => {
    expect(rollbackTargets([inCanary('a', 0)])).toHaveLength(1)
    expect(rollbackTargets([{ ...inCanary('a', 0), stableReleaseId: null }])).toEqual([])
  })

  it('asks for the name of a production service, for the word ALL when it is everything, else for nothing', () => {
    const production = rollbackTargets([inCanary('shop', 10, 'production')])
    const mixed = rollbackTargets([inCanary('shop', 10, 'production'), inCanary('lab', 10)])
    expect(wordToType(production, false)).toBe('shop')
    expect(wordToType(mixed, true)).toBe('ALL')
    expect(wordToType(rollbackTargets([inCanary('lab', 10)]), false)).toBeNull()
  })
})
