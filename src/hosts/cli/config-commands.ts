import { readConfig, type ConfigRequest } from '../../adapters/config/index.ts'
import { configJsonSchema, describeConfig } from '../../engine/config/index.ts'
import { exitCodes, type Output } from './output.ts'
import { problemText } from './problem-text.ts'

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
  if (isJson) {
    out.write(json({ ok: result.ok, file: path, problems }))
  } else if (result.ok) {
    const { environment } = result.value.config
    const what = path ?? 'No config file: the defaults hold'
    out.write(`${out.style('green', 'ok')}  ${what}  (environment ${environment})\n`)
  } else {
    const { workingDirectory } = request.system
    err.write(problemText(problems, { path, bytes, workingDirectory }, err))
  }
  return result.ok ? exitCodes.ok : exitCodes.failed
}

/** `pilothouse config show`: every setting that would hold, with its origin; secrets are masked. */
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
  const width = (pick: (entry: (typeof shown.entries)[number]) => string) =>
    Math.max(...shown.entries.map((entry) => pick(entry).length))
  const pathWidth = width((entry) => entry.path)
  const valueWidth = width((entry) => entry.value)
  for (const entry of shown.entries) {
    const value = entry.value.padEnd(valueWidth)
    const row = `${entry.path.padEnd(pathWidth)}  ${entry.isDefault ? out.style('dim', value) : value}`
    out.write(`${row}  ${out.style('dim', entry.origin)}\n`)
  }
  return exitCodes.ok
}

/** `pilothouse config schema`: JSON Schema for editors. */
export function printSchema({ out }: CommandSurroundings): number {
  out.write(json(configJsonSchema()))
  return exitCodes.ok
}
