import { styleText } from 'node:util'

/** Where a command writes to, and how. */
export interface Output {
  write(text: string): void
  /** Whoever read it has gone: nothing more need be written. */
  isClosed(): boolean
  isTerminal: boolean
  /** A terminal that shows colours, and NO_COLOR is not set. */
  isColoured: boolean
  style: (format: 'bold' | 'dim' | 'red' | 'green' | 'cyan', text: string) => string
}

/** A stream of this process. */
export function outputTo(stream: NodeJS.WriteStream): Output {
  const isTerminal = stream.isTTY
  const isColoured = isTerminal && stream.hasColors()
  // `pilothouse config show | head` ends the reader first; that is no failure.
  stream.on('error', (failure: NodeJS.ErrnoException) => {
    if (failure.code !== 'EPIPE') throw failure
  })
  return {
    write: (text) => void stream.write(text),
    isClosed: () => !stream.writable,
    isTerminal,
    isColoured,
    style: (format, text) => (isColoured ? styleText(format, text, { stream }) : text),
  }
}

/** Exit codes of every command: `undecided` is a deployment that waits for a person. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, noEngine: 3, undecided: 4 } as const
