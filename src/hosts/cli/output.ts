import { styleText } from 'node:util'
import { jsonText } from './json-text.ts'
import { fitted } from './layout/index.ts'

/** Where a command writes to, and how. */
export interface Output {
  write(text: string): void
  /** Whoever read it has gone: nothing more need be written. */
  isClosed(): boolean
  isTerminal: boolean
  /** Cells that a line for a person may have; infinite where no terminal shows it. */
  width: number
  /** FORCE_COLOR asks for colors; without it, a terminal that shows them, and NO_COLOR is not set. */
  isColoured: boolean
  style: (format: 'bold' | 'dim' | 'red' | 'green' | 'cyan', text: string) => string
}

/** Narrower terminals get lines of this many cells. */
const leastWidth = 20

/** Codes of a stream whose reader has gone. */
const readerGone = ['EPIPE', 'EOF', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']

/** What FORCE_COLOR says, as other programs read it; null when it says nothing. It is stronger than NO_COLOR. */
const forcedColor = (text: string | undefined): boolean | null =>
  text === undefined ? null : !['0', 'false'].includes(text)

/** A stream of this process. */
export function outputTo(
  stream: NodeJS.WriteStream,
  variables: Readonly<Record<string, string | undefined>>,
): Output {
  const isTerminal = stream.isTTY
  const isColoured =
    forcedColor(variables['FORCE_COLOR']) ??
    (isTerminal && !variables['NO_COLOR'] && variables['TERM'] !== 'dumb' && stream.hasColors())
  let hasReader = true
  // `pilothouse config show | head` ends the reader first; that is no failure.
  stream.on('error', (failure: NodeJS.ErrnoException) => {
    if (!readerGone.includes(failure.code ?? '')) throw failure
    hasReader = false
  })
  return {
    write: (text) => {
      if (hasReader) stream.write(text)
    },
    isClosed: () => !hasReader || !stream.writable,
    isTerminal,
    get width() {
      const asked = Number(variables['COLUMNS'])
      const width = Number.isInteger(asked) && asked > 0 ? asked : isTerminal ? stream.columns : Infinity
      return Math.max(leastWidth, width > 0 ? width : Infinity)
    },
    isColoured,
    style: (format, text) => (isColoured ? styleText(format, text, { validateStream: false }) : text),
  }
}

/** Writes text for a person: no line is wider than the terminal. */
export const tell = (out: Pick<Output, 'write' | 'width'>, text: string): void =>
  out.write(fitted(text, out.width))

/** Exit codes of every command: `undecided` is a deployment that waits for a person. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  noEngine: 3,
  undecided: 4,
  interrupted: 130,
  readerGone: 141,
} as const

/** What each exit code means, for help and documentation. */
export const exitCodeMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.ok, 'done; a watched deployment was promoted'],
  [exitCodes.failed, 'failed or refused; a watched deployment was rolled back'],
  [exitCodes.usage, 'the command line or an argument is not valid'],
  [exitCodes.noEngine, 'no engine is running'],
  [exitCodes.undecided, 'the watched deployment is paused and needs a decision'],
  [exitCodes.interrupted, 'stopped with Ctrl-C; deployments continue. serve and demo exit with 0 instead'],
  [exitCodes.readerGone, 'the reader of the output closed it; the deployment continues'],
]

/** Writes a result: one JSON document for a program, else text for a person. */
export function report(
  { out, isJson }: { out: Pick<Output, 'write' | 'width'>; isJson: boolean },
  value: unknown,
  text: () => string,
): void {
  if (isJson) out.write(jsonText(value))
  else tell(out, text())
}
