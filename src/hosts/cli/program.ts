import { Command, CommanderError } from 'commander'
import type { System } from '../../adapters/config/index.ts'
import { version } from '../version.ts'
import { checkConfig, printSchema, showConfig, type CommandSurroundings } from './config-commands.ts'
import { edgeCommand, type EdgeVerb } from './edge-commands.ts'
import { initCommand } from './init-command.ts'
import { exitCodes } from './output.ts'
import { registerOperations } from './operations/index.ts'
import type { Person } from './person.ts'
import { demoCommand } from './demo-command.ts'
import { serveCommand, type Bundle } from './serve-command.ts'
import { requestOf, withSettingOptions, type SettingValues } from './setting-options.ts'

export interface CliSurroundings extends CommandSurroundings {
  system: System
  bundle: Bundle
  person: Person
}

const examples = `
Examples:
  pilothouse serve --port 0            open on a free port, print the address, open the browser
  pilothouse init                      write a first config with one service
  pilothouse config check              find every mistake in pilothouse.yaml
  pilothouse config show               what holds, and where each value comes from
  pilothouse services                  what runs, its traffic and its figures
  pilothouse deploy shop r42 --watch   ship a release and follow it to its end
  pilothouse rollback shop             all traffic back to the stable release, at once

Every setting can also be an environment variable: PILOTHOUSE_SERVER__PORT=8080 is server.port.
Commands that need a running engine find it by the data directory, or by PILOTHOUSE_URL and PILOTHOUSE_TOKEN.
Exit codes: 0 well or promoted, 1 failed or rolled back, 2 wrong use of the command line, 3 no engine, 4 it waits for
a person.`

/**
 * Runs one command line and gives its exit code, one of `exitCodes`. `serve` ends with its signal.
 */
export async function runCli(args: readonly string[], surroundings: CliSurroundings): Promise<number> {
  const { out, err, system, bundle } = surroundings
  let code: number = exitCodes.ok
  const program = new Command('pilothouse')
    .description('The room from which an on-call engineer steers production.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .addHelpText('after', examples)
    .showSuggestionAfterError()
    .showHelpAfterError('Add --help to see what there is.')
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => err.write(text) })
    .exitOverride()

  withSettingOptions(program.command('serve'))
    .description('run the engine and serve its screens to browsers on this machine')
    .option('--no-open', 'do not open a browser')
    .action(async ({ open, ...values }: SettingValues & { open: boolean }) => {
      const request = { config: requestOf(values, system), isBrowserWanted: open, bundle }
      code = await serveCommand(request, surroundings)
    })

  const edge = program
    .command('edge')
    .description('the embedded platform, which runs and routes services by itself')
  const runEdge = async (verb: EdgeVerb, values: SettingValues) => {
    code = await edgeCommand(verb, requestOf(values, system), surroundings)
  }
  withSettingOptions(edge.command('start'))
    .description('start it unless it runs; it runs on without this program')
    .action((values: SettingValues) => runEdge({ kind: 'start' }, values))
  withSettingOptions(edge.command('status'))
    .description('show its services and where they listen')
    .action((values: SettingValues) => runEdge({ kind: 'status' }, values))
  withSettingOptions(edge.command('upgrade'))
    .description('let a new process of this program take over from the one that runs, without a request lost')
    .action((values: SettingValues) => runEdge({ kind: 'upgrade' }, values))
  withSettingOptions(edge.command('stop'))
    .description('end it; what it runs goes on without it, unreachable until it is started again')
    .option('--with-instances', 'drain and stop what it runs, too')
    .action(({ withInstances = false, ...values }: SettingValues & { withInstances?: boolean }) =>
      runEdge({ kind: 'stop', withInstances }, values),
    )

  withSettingOptions(program.command('demo'))
    .description('open a small shop with real services and traffic, and ship good and faulty releases of it')
    .option('--no-open', 'do not open a browser')
    .action(async ({ open, ...values }: SettingValues & { open: boolean }) => {
      const request = { config: requestOf(values, system), isBrowserWanted: open, bundle }
      code = await demoCommand(request, surroundings)
    })

  program
    .command('init')
    .description('write a first config with one service; asks for what is left out')
    .argument('[service]')
    .argument('[command...]', 'what starts it, after --; it listens on PORT, or on {port} in the command')
    .option('--port <number>', 'port for its visitors (default: 8080)')
    .option('--health <path>', 'path that answers 200 when it is well (default: /)')
    .option('--config <file>', 'write this file (default: the one of this user)')
    .action(
      async (
        service: string | undefined,
        command: string[],
        values: { port?: string; health?: string; config?: string },
      ) => {
        const { port, health, config: file } = values
        code = await initCommand({ system, file, service, command, port, health }, surroundings)
      },
    )

  const config = program.command('config').description('check and show the configuration')
  type ConfigOptions = SettingValues & { json?: boolean }
  withSettingOptions(config.command('check'))
    .description('find every mistake: line, column, what was expected, the nearest valid key')
    .option('--json', 'write the result as JSON')
    .action(async ({ json = false, ...values }: ConfigOptions) => {
      code = await checkConfig(requestOf(values, system), json, surroundings)
    })
  withSettingOptions(config.command('show'))
    .description('show every setting with its origin; secrets are masked')
    .option('--json', 'write the settings as JSON')
    .action(async ({ json = false, ...values }: ConfigOptions) => {
      code = await showConfig(requestOf(values, system), json, surroundings)
    })
  config
    .command('schema')
    .description('print the JSON Schema for editors')
    .action(() => {
      code = printSchema(surroundings)
    })

  registerOperations(program, surroundings, (ended) => (code = ended))

  program
    .command('version')
    .description('print the version')
    .action(() => out.write(`${version}\n`))

  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (failure) {
    if (!(failure instanceof CommanderError)) throw failure
    return failure.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
}
