import { relative } from 'node:path'
import { Redactor } from '../../adapters/log/index.ts'
import type { ConfigProblem } from '../../contract/index.ts'
import { isSecret } from '../../engine/config/index.ts'
import type { Output } from './output.ts'

const widest = 96
const before = 40

/**
 * The part of the line that may be shown: not the value of a secret, and of a mistaken key only the key, as nobody
 * knows what it was meant to hold.
 */
function showable(line: string, { path, column }: ConfigProblem): string {
  const keys = path.split('.')
  const key = /^["']?/.exec(line.slice(column - 1))?.[0] + (keys.at(-1) ?? '')
  if (path !== '' && line.startsWith(key, column - 1)) return line.slice(0, column - 1 + key.length)
  return isSecret(keys) ? `${line.slice(0, column - 1)}••••••` : line
}

/** One line of a file around a column, harmless on a terminal and without secrets. */
function excerpt(line: string, problem: ConfigProblem): { text: string; caretAt: number } {
  const start = Math.max(0, problem.column - 1 - before)
  const shown = new Redactor().text(showable(line, problem)).slice(start, start + widest)
  // eslint-disable-next-line no-control-regex
  const text = shown.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, ' ')
  return { text, caretAt: problem.column - 1 - start }
}

function frame(problem: ConfigProblem, lines: readonly string[], output: Output): string {
  const line = lines[problem.line - 1]
  if (line === undefined) return ''
  const { text, caretAt } = excerpt(line, problem)
  const margin = String(problem.line)
  const caret = output.style('red', '^')
  return `\n  ${output.style('dim', `${margin} |`)} ${text}\n  ${output.style('dim', `${' '.repeat(margin.length)} |`)} ${' '.repeat(caretAt)}${caret}\n`
}

/** A file as a person would name it here. */
const named = (file: string, workingDirectory: string) => {
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
 *     pilothouse.yaml:3:9  found the text "8080", expected a port: a whole number from 0 to 65535
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
    const place = isInFile ? `${file}:${problem.line}:${problem.column}` : file
    const hint = problem.hint ? `\n  ${output.style('cyan', problem.hint)}` : ''
    const shown = problem.file === source.path ? frame(problem, lines, output).trimEnd() : ''
    return `${output.style('bold', place)}  ${problem.message}${shown}${hint}\n`
  })
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`
  return `${told.join('\n')}\n${output.style('red', `${count} in the configuration`)}\n`
}
