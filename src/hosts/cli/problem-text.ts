import { relative } from 'node:path'
import { Redactor } from '../../adapters/log/index.ts'
import type { System } from '../../adapters/config/index.ts'
import { errorCatalogue, columnText, problemPlace, type ConfigProblem } from '../../contract/index.ts'
import { isSecret, keysIn } from '../../engine/config/index.ts'
import { cellWidth, clipped, fitted } from './layout/index.ts'
import { exitCodes, tell, type Output } from './output.ts'

const widest = 96
const before = 40

/**
 * The part of the line that may be shown: not the value of a secret, and of a mistaken key only the key, as nobody
 * knows what it was meant to hold.
 */
function showable(line: string, { path, column }: ConfigProblem): string {
  const keys = keysIn(path)
  const key = /^["']?/.exec(line.slice(column - 1))?.[0] + (keys.at(-1) ?? '')
  if (path !== '' && line.startsWith(key, column - 1)) return line.slice(0, column - 1 + key.length)
  return isSecret(keys) ? `${line.slice(0, column - 1)}••••••` : line
}

/** One line of a file around a column in at most `room` cells, harmless on a terminal and without secrets. */
function excerpt(line: string, problem: ConfigProblem, room: number): { text: string; caretAt: number } {
  // A character takes two cells at most, so that the column is within the room.
  const start = Math.max(0, problem.column - 1 - Math.min(before, Math.floor((room - 1) / 2)))
  const shown = new Redactor().text(showable(line, problem)).slice(start, start + widest)
  const text = columnText(shown)
  const toColumn = text.slice(0, problem.column - 1 - start)
  return {
    text: clipped(text, room),
    caretAt: cellWidth(toColumn) + (problem.column - 1 - start - toColumn.length),
  }
}

function frame(problem: ConfigProblem, lines: readonly string[], output: Output): string {
  const line = lines[problem.line - 1]
  if (line === undefined) return ''
  const margin = `  ${problem.line} |`
  const room = Math.min(widest, output.width - margin.length - 1)
  const { text, caretAt } = excerpt(line, problem, room)
  const blank = `${' '.repeat(margin.length - 1)}|`
  return [
    `${output.style('dim', margin)} ${text}\n`,
    `${output.style('dim', blank)} ${' '.repeat(Math.min(caretAt, room - 1))}${output.style('red', '^')}\n`,
  ].join('')
}

/** A file as a person would name it here. */
export const named = (file: string, workingDirectory: string) => {
  const near = relative(workingDirectory, file)
  return near !== '' && !near.startsWith('..') && near.length < file.length ? near : file
}

export interface ProblemSource {
  /** The file read, and its text; null without one. */
  path: string | null
  bytes: Uint8Array | null
  workingDirectory: string
}

/**
 * The mistakes with their line and a pointer to the column:
 *
 *     pilothouse.yaml:3:9  found the string "8080", expected a port: a whole number from 0 to 65535
 *       3 |   port: "8080"
 *         |         ^
 */
export function problemText(
  problems: readonly ConfigProblem[],
  source: ProblemSource,
  output: Output,
): string {
  const lines = source.bytes ? new TextDecoder().decode(source.bytes).split(/\r?\n/) : []
  const told = problems.map((problem) => {
    const isInFile = problem.line > 0
    const file = isInFile ? named(problem.file, source.workingDirectory) : problem.file
    const place = problemPlace({ ...problem, file })
    const hint = problem.hint ? `  ${output.style('cyan', problem.hint)}\n` : ''
    const shown = problem.file === source.path ? frame(problem, lines, output) : ''
    return [
      fitted(`${output.style('bold', place)}  ${problem.message}\n`, output.width),
      shown,
      fitted(hint, output.width),
    ].join('')
  })
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`
  return `${told.join('\n')}\n${output.style('red', `${count} in the configuration`)}\n`
}

/** Says on standard error which variables are ignored, and why that is worth a look. Nothing when none is. */
export function warnOfIgnored(names: readonly string[], err: Output): void {
  if (names.length === 0) return
  const [are, ones, settings] =
    names.length === 1 ? ['is', 'variable', 'a setting'] : ['are', 'variables', 'settings']
  tell(
    err,
    `${err.style('bold', 'warning')}: the environment ${ones} ${names.join(', ')} ${are} not ${settings} and ${are} ignored\n`,
  )
}

/** Tells of a config that cannot be used; the exit code of it. */
export function tellProblems(
  problems: readonly ConfigProblem[],
  { path, bytes }: Pick<ProblemSource, 'path' | 'bytes'>,
  { workingDirectory }: Pick<System, 'workingDirectory'>,
  { out, err, isJson }: { out: Output; err: Output; isJson: boolean },
): number {
  err.write(problemText(problems, { path, bytes, workingDirectory }, err))
  const { title: message, action, retryable } = errorCatalogue.CONFIG_INVALID
  const error = { code: 'CONFIG_INVALID', message, action, retryable, details: { problems } }
  if (isJson) out.write(`${JSON.stringify({ error })}\n`)
  return exitCodes.failed
}
