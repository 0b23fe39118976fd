import { describe, expect, it } from 'vitest'
import { keyLabels, KeySequences } from '../../../../src/renderer/commands/key-sequences.ts'

const known = ['g o', 'g h', 't', '?', 'mod+k', '[']
const press = (key: string, mod: Partial<{ ctrlKey: boolean; metaKey: boolean; altKey: boolean }> = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...mod,
})

/** What each key of a text completes, `stepMs` apart. */
function typed(keys: string[], stepMs = 100): (string | undefined)[] {
  const sequences = new KeySequences()
  return keys.map((key, at) => sequences.press(press(key), at * stepMs, known))
}

describe('keys', () => {
  it('complete a sequence with its last key', () => {
    expect(typed(['g', 'o'])).toEqual([undefined, 'g o'])
    expect(typed(['t'])).toEqual(['t'])
    expect(typed(['?'])).toEqual(['?'])
  })

  it('do not wait for ever for the second one', () => {
    expect(typed(['g', 'o'], 2000)).toEqual([undefined, undefined])
  })

  it('that do not continue a sequence may begin or be another', () => {
    expect(typed(['g', 't'])).toEqual([undefined, 't'])
    expect(typed(['g', 'g', 'h'])).toEqual([undefined, undefined, 'g h'])
    expect(typed(['g', 'x', 'o'])).toEqual([undefined, undefined, undefined])
  })

  it('mean the same with Caps Lock on', () => {
    expect(typed(['G', 'O'])).toEqual([undefined, 'g o'])
  })

  it('are Ctrl K and Cmd K alike', () => {
    expect(new KeySequences().press(press('k', { ctrlKey: true }), 0, known)).toBe('mod+k')
    expect(new KeySequences().press(press('K', { metaKey: true }), 0, known)).toBe('mod+k')
  })

  it('belong to the browser or the system with other modifiers', () => {
    const sequences = new KeySequences()
    expect(sequences.press(press('t', { ctrlKey: true }), 0, known)).toBeUndefined()
    expect(sequences.press(press('t', { altKey: true }), 1, known)).toBeUndefined()
  })

  it('are shown as on the keyboard', () => {
    expect(keyLabels('g o', false)).toEqual(['g', 'o'])
    expect(keyLabels('mod+k', false)).toEqual(['Ctrl', 'K'])
    expect(keyLabels('mod+k', true)).toEqual(['⌘', 'K'])
  })
})
