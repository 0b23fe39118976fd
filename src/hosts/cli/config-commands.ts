import { terminalText } from '../../contract/index.ts'
import { readConfig, type ConfigRequest } from '../../adapters/config/index.ts'
import { configJsonSchema, describeConfig } from '../../engine/config/index.ts'
import { table } from './layout/index.ts'
import { exitCodes, tell, type Output } from './output.ts'
import { named, problemText, warnOfIgnored } from './problem-text.ts'

export interface CommandSurroundings {
  out: Output
  err: Output
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** `pilothouse config check`: 0 when the config is good, else 1 with every mistake. */
export async function checkConfig(
  request: ConfigRequest,
  isJson: boolean,
  { out, err }: CommandSurroundings,
): Promise<number> {
  const { path, bytes, result } = await readConfig(request)
  const problems = result.ok ? [] : result.error
  const ignoredVariables = result.ok ? result.value.ignoredVariables : []
  if (isJson) {
    out.write(json({ ok: result.ok, file: path, problems, ignoredVariables }))
  } else if (result.ok) {
    const { environment } = result.value.config
    const what = path ?? 'No config file, using defaults'
    tell(out, `${out.style('green', 'ok')}  ${terminalText(what)}  (environment ${environment})\n`)
    warnOfIgnored(ignoredVariables, err)
  } else {
    const { workingDirectory } = request.system
    err.write(problemText(problems, { path, bytes, workingDirectory }, err))
  }
  return result.ok ? exitCodes.ok : exitCodes.failed
}

/** `pilothouse config show`: every effective setting, those that someone set first; secrets are masked. */
export async function showConfig(
  request: ConfigRequest,
  isJson: boolean,
  { out, err }: CommandSurroundings,
): Promise<number> {
  const { path, bytes, result } = await readConfig(request)
  if (!result.ok) {
    const { workingDirectory } = request.system
    if (isJson) out.write(json({ ok: false, file: path, problems: result.error }))
    else err.write(problemText(result.error, { path, bytes, workingDirectory }, err))
    return exitCodes.failed
  }
  const shown = describeConfig(result.value)
  if (isJson) {
    out.write(json({ ok: true, ...shown }))
    return exitCodes.ok
  }
  const isDefault = ({ origin }: ShownEntry) => origin === 'default'
  const setting = ({ path, effect }: ShownEntry) => terminalText(path) + (effect === 'restart' ? ' *' : '')
  const layout = { width: out.width, style: (heading: string) => out.style('dim', heading) }
  const chosen = shown.entries.filter((entry) => !isDefault(entry))
  if (chosen.length > 0) {
    const rows = chosen.map((entry) => [
      setting(entry),
      terminalText(entry.value),
      shortOrigin(entry.origin, shown.file, request.system.workingDirectory),
    ])
    out.write(`${table(chosenColumns, rows, layout)}\n`)
  }
  const rows = shown.entries.filter(isDefault).map((entry) => [setting(entry), terminalText(entry.value)])
  out.write(table(defaultColumns, rows, layout))
  if (shown.entries.some(({ effect }) => effect === 'restart'))
    tell(out, `\n${out.style('dim', '* A change takes effect after the engine restarts.')}\n`)
  return exitCodes.ok
}

type ShownEntry = ReturnType<typeof describeConfig>['entries'][number]

const chosenColumns = [
  { heading: 'SETTING' },
  { heading: 'VALUE', isBreakable: true },
  { heading: 'SET BY', isBreakable: true },
]
const defaultColumns = [{ heading: 'DEFAULT' }, { heading: 'VALUE', isBreakable: true }]

/** The origin with the file named as seen from the working directory. */
const shortOrigin = (origin: string, file: string | null, workingDirectory: string): string =>
  terminalText(file === null ? origin : origin.replace(file, () => named(file, workingDirectory)))

/** `pilothouse config schema`: JSON Schema for editors. */
export function printSchema({ out }: CommandSurroundings): number {
  out.write(json(configJsonSchema()))
  return exitCodes.ok
}
