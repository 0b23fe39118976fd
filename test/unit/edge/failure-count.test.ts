import { describe, expect, it } from 'vitest'
import { FailureCount } from '../../../src/edge/supervisor/failure-count.ts'

const counted = (...happened: ['crash' | 'oom_kill' | 'health' | 'ejection', 'first start' | 'later'][]) => {
  const told: string[] = []
  const count = new FailureCount((failure) => told.push(failure))
  for (const [failure, when] of happened) count.failed(failure, when === 'first start')
  return told
}

describe('the failures of an instance that count against its release', () => {
  it('leave out one failed first start, after which the instance stays healthy', () => {
    expect(counted(['crash', 'first start'])).toEqual([])
    expect(counted(['health', 'first start'])).toEqual([])
  })

  it('include that start as soon as the same instance fails again', () => {
    expect(counted(['crash', 'first start'], ['crash', 'later'])).toEqual(['crash', 'crash'])
    expect(counted(['crash', 'first start'], ['ejection', 'later'], ['health', 'later'])).toEqual([
      'crash',
      'ejection',
      'health',
    ])
  })

  it('include every failure after the instance was healthy', () => {
    expect(counted(['oom_kill', 'later'])).toEqual(['oom_kill'])
  })
})
