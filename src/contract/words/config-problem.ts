import type { ConfigProblem } from '../live/records.ts'

/** Where a mistake in the configuration is: `pilothouse.yaml:3:9`, or the variable or flag that has it. */
export const problemPlace = ({
  file,
  line,
  column,
}: Pick<ConfigProblem, 'file' | 'line' | 'column'>): string => (line > 0 ? `${file}:${line}:${column}` : file)

type Problem = Pick<ConfigProblem, 'file' | 'line' | 'column' | 'message'>

/** The first of the problems with its place, and how many more there are; empty when there are none. */
export function problemsText(problems: readonly Problem[]): string {
  const [first] = problems
  if (!first) return ''
  const rest = problems.length > 1 ? `, and ${problems.length - 1} more` : ''
  return `${problemPlace(first)}: ${first.message}${rest}`
}

export const configRejected = 'The changed configuration was rejected'

/** `The changed configuration was rejected (pilothouse.yaml:3:9: found nothing); the previous one stays in use`. */
export function configRejectedText(problems: readonly Problem[]): string {
  const why = problemsText(problems)
  return `${configRejected}${why === '' ? '' : ` (${why})`}; the previous one stays in use`
}
