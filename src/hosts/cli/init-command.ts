import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { placesOf, readConfig, type System } from '../../adapters/config/index.ts'
import { wordsOf } from '../../contract/index.ts'
import { loadConfig } from '../../engine/config/index.ts'
import { messageOf } from '../../engine/core/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { exitCodes } from './output.ts'
import type { Person } from './person.ts'
import { problemText } from './problem-text.ts'

export interface InitRequest {
  system: System
  /** Where to write; the user's config directory when left out. */
  file: string | undefined
  /** What is left out is asked for; with nobody at the terminal it must be there. */
  service: string | undefined
  command: readonly string[]
  port: string | undefined
  health: string | undefined
}

/** A service as a person describes it first. */
interface FirstService {
  name: string
  command: readonly string[]
  port: string
  health: string
}

/**
 * `pilothouse init`: writes a first config with one service, asking for what was not named. 0 when it stands, 1 when
 * there is one already or it cannot be written, 2 when something is missing or mistaken. Nothing is ever overwritten.
 */
export async function initCommand(
  request: InitRequest,
  { out, err, person }: CommandSurroundings & { person: Person },
): Promise<number> {
  const { system } = request
  const file = request.file ?? system.variables['PILOTHOUSE_CONFIG']
  const places = placesOf(system)
  const refuse = (text: string, code: number): number => {
    err.write(`${err.style('red', 'pilothouse')}: ${text}\n`)
    return code
  }
  const there = await readConfig({ system, file })
  if (there.bytes !== null || (there.path !== null && !file))
    return refuse(
      `There is a configuration already: ${there.path}. Add a service below \`services:\` there; pilothouse config check finds mistakes.`,
      exitCodes.failed,
    )

  const service = await described(request, person)
  if (typeof service === 'string') return refuse(service, exitCodes.usage)
  const path = file ? resolve(system.workingDirectory, file) : join(places.configDirectory, 'pilothouse.yaml')
  const text = configText(service)
  const bytes = new TextEncoder().encode(text)
  const loaded = loadConfig({ file: { path, bytes }, variables: system.variables, flags: [], places })
  if (!loaded.ok) {
    err.write(problemText(loaded.error, { path, bytes, workingDirectory: system.workingDirectory }, err))
    err.write('Nothing was written.\n')
    return exitCodes.usage
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 })
  } catch (failure) {
    return refuse(`${path} cannot be written: ${messageOf(failure)}`, exitCodes.failed)
  }
  const named = request.file ? ` --config ${request.file}` : ''
  out.write(
    `${text}\nWritten to ${path}. Now:\n` +
      `  pilothouse serve${named}\n` +
      `  pilothouse deploy ${service.name} r1 --watch${named}   (in a second terminal)\n`,
  )
  return exitCodes.ok
}

/** With answers in the place of what was not named; a sentence when something is missing all the same. */
async function described(request: InitRequest, person: Person): Promise<FirstService | string> {
  const ask = async (question: string, fallback = '') =>
    (person.isThere ? await person.ask(question) : '') || fallback
  const name = request.service ?? (await ask('Name of the service, such as checkout: '))
  if (!name) return 'Name the service: pilothouse init NAME -- COMMAND...'
  const command =
    request.command.length > 0
      ? request.command
      : wordsOf(await ask('Command that starts it; it listens on PORT, or on {port} in the command: '))
  if (command.length === 0) return `Say what starts ${name}: pilothouse init ${name} -- COMMAND...`
  const port = request.port ?? (await ask('Port for its visitors [8080]: ', '8080'))
  const health = request.health ?? (await ask('Path that answers 200 when it is well [/]: ', '/'))
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
  return `# What Pilothouse steers. \`pilothouse config check\` finds mistakes, \`pilothouse config show\` tells what holds.
# Releases go to 10 % of the traffic for 10 minutes first; \`deploy:\` in a service changes that.
${stringify({ services })}`
}
