import { Command, CommanderError, Option } from 'commander'
import { AppError } from '../../base/index.ts'
import type { System } from '../../adapters/config/index.ts'
import { version } from '../version.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { demoCommand } from './demo-command.ts'
import { tellFailure } from './failure.ts'
import { helpText, usageFailure, withExamples, type HelpSection } from './help/index.ts'
import { initCommand } from './init-command.ts'
import { jsonText } from './json-text.ts'
import { registerOperations } from './operations/index.ts'
import { exitCodeMeanings, exitCodes } from './output.ts'
import type { Person } from './person.ts'
import { registerConfig } from './register-config.ts'
import { registerEdge } from './register-edge.ts'
import { registerHelp } from './register-help.ts'
import { serveCommand, type Bundle } from './serve-command.ts'
import { requestOf, withJsonOption, withSettingOptions, type SettingValues } from './setting-options.ts'

export interface CliSurroundings extends CommandSurroundings {
  system: System
  bundle: Bundle
  person: Person
}

const exitCodeSection: HelpSection = {
  heading: 'Exit codes',
  rows: exitCodeMeanings.map(([code, meaning]) => [String(code), meaning]),
}

const notes = [
  'Each setting is also an environment variable: PILOTHOUSE_SERVER__PORT=8080 sets server.port. Commands find the running engine by its data directory, or by PILOTHOUSE_URL and PILOTHOUSE_TOKEN.',
  'For help on a command, run: pilothouse COMMAND --help',
]

const groups = {
  emergency: 'In an emergency',
  look: 'Monitor',
  steer: 'Deploy',
  setUp: 'Set up and run',
  other: 'Other',
} as const

/** Where each command stands in the list of all, which shows them in this order. */
const groupOf: Readonly<Record<string, keyof typeof groups>> = {
  rollback: 'emergency',
  resume: 'emergency',
  services: 'look',
  logs: 'look',
  audit: 'look',
  open: 'look',
  deploy: 'steer',
  validate: 'steer',
  deployments: 'steer',
  releases: 'steer',
  demo: 'setUp',
  init: 'setUp',
  serve: 'setUp',
  config: 'setUp',
  edge: 'setUp',
  help: 'other',
  completion: 'other',
  version: 'other',
}

/** Every command, with its help. `done` gets the exit code of the one that runs. */
export function buildProgram(surroundings: CliSurroundings, done: (code: number) => void): Command {
  const { out, err, system, bundle } = surroundings
  const program = withExamples(new Command('pilothouse'), {
    'pilothouse demo': 'Open a demo shop under traffic, to try everything out',
    'pilothouse init': 'Write a first config with one service',
    'pilothouse serve': 'Run the engine and open its screens in the browser',
    'pilothouse services': 'Show services with their traffic and errors',
    'pilothouse deploy shop r42 --watch': 'Deploy a release and follow it until it ends',
    'pilothouse rollback shop': 'Return all traffic to the stable release at once',
  })
    .description('Monitor services, deploy releases through judged canaries, and roll them back at once')
    .version(version, '-V, --version', 'Print the version')
    .addOption(new Option('--utc', 'Write times in UTC, whatever display.timeZone says').conflicts('local'))
    .option('--local', 'Write times in the local time zone, whatever display.timeZone says')
    .helpOption('-h, --help', 'Show this help')
    .helpCommand(false)
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      // Told by tellFailure, together with the usage of the command.
      outputError: () => undefined,
    })

  withExamples(withSettingOptions(program.command('demo')), {
    'pilothouse demo': 'Open the shop in the browser',
    'pilothouse demo --port 7790 --no-open': 'Serve it on a port of your choice, and only print its address',
  })
    .description('Run a demo shop with traffic, and deploy good and bad releases of it')
    .option('--no-open', 'Do not open a browser')
    .action(async ({ open, ...values }: SettingValues & { open: boolean }) => {
      const request = { config: requestOf(values, system), isBrowserWanted: open, bundle }
      done(await demoCommand(request, surroundings))
    })

  withExamples(withJsonOption(program.command('init')), {
    'pilothouse init': 'Ask for name, command, port and health check, then write pilothouse.yaml',
    'pilothouse init shop -- node server.js': 'Write it without questions',
    'pilothouse init shop --port 8081 --health /healthz -- ./shop --listen {port}':
      'Pass the port of each instance as an argument',
  })
    .description('Write a first config with one service, and ask for what you leave out')
    .argument('[service]', 'Name of the service')
    .argument('[command...]', 'Command that starts it, after --. It must listen on $PORT, or on {port}')
    .option('--port <number>', 'Port for clients (default: 8080)')
    .option('--health <path>', 'Path of the health check, which answers 200 when healthy (default: /)')
    .option('--config <file>', 'File to write (default: pilothouse.yaml in this directory)')
    .action(
      async (
        service: string | undefined,
        command: string[],
        values: { port?: string; health?: string; config?: string; json?: boolean },
      ) => {
        const { port, health, config: file, json: isJson = false } = values
        done(await initCommand({ system, file, service, command, port, health, isJson }, surroundings))
      },
    )

  withExamples(withSettingOptions(program.command('serve')), {
    'pilothouse serve': 'Serve on the configured port and open the browser',
    'pilothouse serve --port 0 --no-open': 'Take a free port and only print the address',
    'pilothouse serve --environment production': 'Treat its services as production',
  })
    .description('Run the engine and serve its screens to browsers on this machine')
    .option('--no-open', 'Do not open a browser')
    .action(async ({ open, ...values }: SettingValues & { open: boolean }) => {
      const request = { config: requestOf(values, system), isBrowserWanted: open, bundle }
      done(await serveCommand(request, surroundings))
    })

  registerConfig(program, surroundings, done)
  registerEdge(program, surroundings, done)
  registerOperations(program, surroundings, done)
  registerHelp(program, surroundings, done)
  withExamples(withJsonOption(program.command('version')), { 'pilothouse version': 'Print the version' })
    .description('Print the version')
    .action(({ json = false }: { json?: boolean }) => {
      out.write(json ? jsonText({ version }) : `${version}\n`)
    })

  for (const command of program.commands) command.helpGroup(groups[groupOf[command.name()] ?? 'other'])
  const order = Object.keys(groupOf)
  const rank = (command: Command) => order.indexOf(command.name())
  const heading = (text: string) => out.style('bold', text)
  for (const command of everyCommand(program)) {
    command.configureHelp({
      visibleCommands: ({ commands }) =>
        commands === program.commands ? commands.toSorted((a, b) => rank(a) - rank(b)) : [...commands],
      formatHelp: (shown) =>
        helpText(
          shown,
          { width: out.width, heading },
          shown === program ? { more: [exitCodeSection], notes } : {},
        ),
    })
    command.exitOverride((failure) => {
      throw failure.exitCode === 0 || failure.code === 'commander.help'
        ? failure
        : usageFailure(command, failure)
    })
  }
  return program
}

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)]

/** Runs one command line and gives its exit code, one of `exitCodes`. `serve` ends with its signal. */
export async function runCli(args: readonly string[], surroundings: CliSurroundings): Promise<number> {
  let code: number = exitCodes.ok
  const program = buildProgram(surroundings, (ended) => (code = ended))
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (failure) {
    if (failure instanceof AppError)
      return tellFailure(failure, { ...surroundings, isJson: isJsonWanted(args) })
    if (!(failure instanceof CommanderError)) throw failure
    return failure.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}

/** Whether a command line that could not be read asks for JSON. */
const isJsonWanted = (args: readonly string[]): boolean => {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}
