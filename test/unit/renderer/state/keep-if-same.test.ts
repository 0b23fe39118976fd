import { describe, expect, it } from 'vitest'
import { keepIfSame } from '../../../../src/renderer/state/keep-if-same.ts'

describe('a list that is computed again', () => {
  it('is the very same one while its members are, so that nothing that hangs on it is done again', () => {
    const a = {}
    let source: object[] = [a]
    const list = keepIfSame(() => [...source])
    const first = list()
    expect(list()).toBe(first)
    source = [a, {}]
    const second = list()
    expect(second).not.toBe(first)
    source = [source[1] ?? {}, a]
    expect(list()).not.toBe(second)
    source = []
    expect(list()).toEqual([])
  })
})
