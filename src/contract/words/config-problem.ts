import type { ConfigProblem } from '../live/records.ts'

/** Where a mistake in the configuration is: `pilothouse.yaml:3:9`, or the variable or flag that has it. */
export const problemPlace = ({
  file,
  line,
  column,
}: Pick<ConfigProblem, 'file' | 'line' | 'column'>): string => (line > 0 ? `${file}:${line}:${column}` : file)
