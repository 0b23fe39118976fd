import { describe, expect, it } from 'vitest'
import { knowledgeOf } from '../../../../src/renderer/rollback/known-at.ts'

const at = (change: Partial<Parameters<typeof knowledgeOf>[0]>) =>
  knowledgeOf({ nowMs: 100_000, isCurrent: false, ageMs: null, askedAtMs: null, ...change })

describe('what the rollback panel goes by', () => {
  it('is the live state while that is the present, whatever was answered before', () => {
    expect(at({ isCurrent: true, ageMs: 300, askedAtMs: 99_999 })).toEqual({
      kind: 'current',
      isAsked: false,
    })
  })

  it('is the answer to a call when live state is older', () => {
    expect(at({ ageMs: 12_000, askedAtMs: 98_000 })).toEqual({ kind: 'old', atMs: 98_000, isAsked: true })
  })

  it('is the live state when an answer is older still', () => {
    expect(at({ ageMs: 12_000, askedAtMs: 50_000 })).toEqual({ kind: 'old', atMs: 88_000, isAsked: false })
  })

  it('is nothing when the engine was never heard', () => {
    expect(at({})).toEqual({ kind: 'none', isAsked: false })
  })
})
