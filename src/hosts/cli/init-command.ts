import { mkdir, mkdtemp, readdir, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { AppError, messageOf } from '../../base/index.ts'
import { configNames, placesOf, readConfig, type System } from '../../adapters/config/index.ts'
import { wordsOf, type ConfigProblem } from '../../contract/index.ts'
import { loadConfig } from '../../engine/config/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { LeftAlone, tellFailure } from './failure.ts'
import { exitCodes, report } from './output.ts'
import type { Person } from './person.ts'
import { tellProblems } from './problem-text.ts'

export interface InitRequest {
  system: System
  /** Where to write; `pilothouse.yaml` in the working directory when left out. */
  file: string | undefined
  /** What is left out is asked for, or required when nobody is at the terminal. */
  service: string | undefined
  command: readonly string[]
  port: string | undefined
  health: string | undefined
  isJson: boolean
}

/** A service as a person describes it first. */
interface FirstService {
  name: string
  command: readonly string[]
  port: string
  health: string
}

/**
 * `pilothouse init`: writes a first config with one service, and asks for what was left out. Exits with 0 when the file is
 * written, 1 when a config exists or the file cannot be written, 2 when an answer is missing or wrong. Refuses before it
 * asks, and never overwrites a file.
 */
export async function initCommand(
  request: InitRequest,
  { out, err, person }: CommandSurroundings & { person: Person },
): Promise<number> {
  const { system, isJson } = request
  const file = request.file ?? system.variables['PILOTHOUSE_CONFIG']
  const path = resolve(system.workingDirectory, file || configNames[0])
  const refuse = (failure: AppError): number => tellFailure(failure, { out, err, isJson })
  const load = (service: FirstService) => {
    const text = configText(service)
    const bytes = new TextEncoder().encode(text)
    const at = { path, bytes }
    const places = placesOf(system)
    return { text, bytes, loaded: loadConfig({ file: at, variables: system.variables, flags: [], places }) }
  }
  const refuseConfig = (problems: readonly ConfigProblem[], bytes: Uint8Array): number => {
    tellProblems(problems, { path, bytes }, system, { out, err, isJson })
    err.write('Nothing was written.\n')
    return exitCodes.usage
  }
  // What was typed is looked at before where it would go: both may be wrong, and only one is at hand.
  const unanswered = unanswerable(request, person)
  if (unanswered) return refuse(unanswered)
  const typed = load({ ...defaults, ...given(request) })
  if (!typed.loaded.ok) return refuseConfig(typed.loaded.error, typed.bytes)
  const obstacle = (await existing(path, request)) ?? (await unwritable(path))
  if (obstacle) return refuse(obstacle)

  const service = await described(request, person)
  if (service instanceof AppError) return refuse(service)
  const { text, bytes, loaded } = load(service)
  if (!loaded.ok) return refuseConfig(loaded.error, bytes)
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 })
  } catch (failure) {
    return refuse(new AppError('UNAVAILABLE', `Cannot write ${path}: ${messageOf(failure)}`))
  }
  const named = request.file ? ` --config ${request.file}` : ''
  const next = [`pilothouse serve${named}`, `pilothouse deploy ${service.name} r1 --watch${named}`]
  report(
    { out, isJson },
    { path, service: service.name, text, next },
    () =>
      `${text}\nWritten to ${path}. Next, in this directory:\n  ${next[0]}\n  ${next[1]}   (in a second terminal)\n`,
  )
  return exitCodes.ok
}

/** A config that is in use already, or that the new one would hide. */
async function existing(path: string, { system, file }: InitRequest): Promise<AppError | null> {
  const isThere = async (other: string) => (await stat(other).catch(() => null)) !== null
  const beside = file || system.variables['PILOTHOUSE_CONFIG'] ? [path] : await configsIn(dirname(path))
  for (const other of beside)
    if (await isThere(other))
      return new LeftAlone(
        `A configuration already exists: ${other}. Add a service under \`services:\` there, then run: pilothouse config check`,
      )
  if (file) return null
  const { path: inUse } = await readConfig({ system })
  return inUse !== null && inUse !== path
    ? new LeftAlone(
        `${inUse} is already in use, and a file in this directory would replace it. Add a service there, or name the new file: pilothouse init --config ${configNames[0]}`,
      )
    : null
}

async function configsIn(directory: string): Promise<string[]> {
  const names = new Set(await readdir(directory).catch(() => []))
  return configNames.filter((name) => names.has(name)).map((name) => join(directory, name))
}

/** Tries it with a directory of its own: permissions alone do not tell of read-only disks. */
async function unwritable(path: string): Promise<AppError | null> {
  let directory = dirname(path)
  while ((await stat(directory).catch(() => null)) === null && dirname(directory) !== directory)
    directory = dirname(directory)
  try {
    await rmdir(await mkdtemp(join(directory, '.pilothouse-init-')))
    return null
  } catch (failure) {
    return new AppError('UNAVAILABLE', `Cannot write ${path}: ${messageOf(failure)}.`, {
      remedy: 'To choose another place, run: pilothouse init --config FILE',
    })
  }
}

/** What stands for an answer until it is given. */
const defaults: FirstService = { name: 'service', command: ['true'], port: '8080', health: '/' }

/** The part of a service that the command line says. */
const given = ({ service, command, port, health }: InitRequest): Partial<FirstService> => ({
  ...(service ? { name: service } : {}),
  ...(command.length > 0 ? { command } : {}),
  ...(port === undefined ? {} : { port }),
  ...(health === undefined ? {} : { health }),
})

const missing = (text: string) => new AppError('BAD_INPUT', text, { remedy: '' })
const withoutName = missing('Name the service: pilothouse init NAME -- COMMAND...')
const withoutCommand = (name: string) =>
  missing(`Name the command that starts ${name}: pilothouse init ${name} -- COMMAND...`)

/** What nobody can be asked for. */
function unanswerable({ service, command }: InitRequest, { isThere }: Person): AppError | null {
  if (isThere) return null
  if (!service) return withoutName
  return command.length === 0 ? withoutCommand(service) : null
}

/** With answers for what was left out. */
async function described(request: InitRequest, person: Person): Promise<FirstService | AppError> {
  const ask = async (question: string, fallback = '') =>
    (person.isThere ? await person.ask(question) : '') || fallback
  const name = request.service ?? (await ask('Service name, such as checkout: '))
  if (!name) return withoutName
  const command =
    request.command.length > 0
      ? request.command
      : wordsOf(await ask('Command that starts it (it must listen on $PORT, or on {port} in the command): '))
  if (command.length === 0) return withoutCommand(name)
  const port = request.port ?? (await ask(`Port for clients [${defaults.port}]: `, defaults.port))
  const health = request.health ?? (await ask(`Health check path [${defaults.health}]: `, defaults.health))
  return { name, command, port, health }
}

function configText({ name, command, port, health }: FirstService): string {
  const services = {
    [name]: {
      listen: { port: /^\d+$/.test(port) ? Number(port) : port },
      health: { path: health },
      releases: { r1: { command: [...command] } },
    },
  }
  return `# Services that Pilothouse runs. Check this file with \`pilothouse config check\`; see all values with \`pilothouse config show\`.
# Commands run in the directory of this file.
# A new release takes 10% of the traffic for 10 minutes first; change that with \`deploy:\` in a service.
${stringify({ services })}`
}
