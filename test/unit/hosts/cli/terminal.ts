import { expect } from 'vitest'
import { cellWidth } from '../../../../src/hosts/cli/layout/index.ts'
import type { Output } from '../../../../src/hosts/cli/output.ts'

/** A terminal of this many cells, without colors; `text` is what was written. */
export function terminal(width = Infinity): Output & { text: string } {
  return {
    text: '',
    write(text) {
      this.text += text
    },
    isClosed: () => false,
    isTerminal: false,
    width,
    isColoured: false,
    style: (_, text) => text,
  }
}

/** Fails with the first line that is wider. */
export function expectFits(text: string, width: number): void {
  const wide = text.split('\n').filter((line) => cellWidth(line) > width)
  expect(wide, `lines wider than ${width} cells`).toEqual([])
}
