import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { outputTo } from '../../../../src/hosts/cli/output.ts'

const stream = (isTTY: boolean) =>
  Object.assign(new EventEmitter(), {
    isTTY,
    columns: 80,
    writable: true,
    hasColors: () => true,
    write: () => true,
  }) as unknown as NodeJS.WriteStream

describe('colors', () => {
  it.each<[string, boolean, Record<string, string>, boolean]>([
    ['a terminal', true, {}, true],
    ['a pipe or file', false, {}, false],
    ['NO_COLOR', true, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', true, { NO_COLOR: '' }, true],
    ['TERM=dumb', true, { TERM: 'dumb' }, false],
    ['FORCE_COLOR', false, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0', true, { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR with NO_COLOR', false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('with %s', (_, isTerminal, variables, isColored) => {
    const out = outputTo(stream(isTerminal), variables)
    expect(out.isColoured).toBe(isColored)
    expect(out.style('red', 'x')).toBe(isColored ? '\u001b[31mx\u001b[39m' : 'x')
  })
})
