import type { Command } from 'commander'
import type { System } from '../../adapters/config/index.ts'
import type { CommandSurroundings } from './config-commands.ts'
import { edgeCommand, type EdgeVerb } from './edge-commands.ts'
import { withExamples } from './help/index.ts'
import { requestOf, withJsonOption, withPlaceOptions, type SettingValues } from './setting-options.ts'

type Values = SettingValues & { json?: boolean }

/** Adds the commands that control the embedded platform. */
export function registerEdge(
  program: Command,
  surroundings: CommandSurroundings & { system: System },
  done: (code: number) => void,
): void {
  const edge = program
    .command('edge')
    .description('Control the embedded platform, which runs services and routes their traffic')
  const add = (name: string, description: string, examples: Record<string, string>) =>
    withExamples(withJsonOption(withPlaceOptions(edge.command(name))), examples).description(description)
  const run = async (verb: EdgeVerb, { json = false, ...values }: Values) =>
    done(await edgeCommand(verb, requestOf(values, surroundings.system), { ...surroundings, isJson: json }))

  add('status', 'Show the services of the edge and where they listen', {
    'pilothouse edge status': 'Show the edge of the configured data directory',
    'pilothouse edge status --data-dir /var/lib/pilothouse': 'Show that of another one',
  }).action((values: Values) => run({ kind: 'status' }, values))
  add('start', 'Start the edge if it is not running. It keeps running when this command ends', {
    'pilothouse edge start': 'Start it; services that it ran before start again',
  }).action((values: Values) => run({ kind: 'start' }, values))
  add('stop', 'Stop the edge. Instances keep running, but get no requests until it starts again', {
    'pilothouse edge stop --with-instances': 'Stop the edge and everything it runs',
    'pilothouse edge stop': 'Stop only the edge; `pilothouse edge start` takes its instances over',
  })
    .option('--with-instances', 'Drain and stop its instances too')
    .action(({ withInstances = false, ...values }: Values & { withInstances?: boolean }) =>
      run({ kind: 'stop', withInstances }, values),
    )
  add('upgrade', 'Replace the running edge with this version; requests in progress finish in the old one', {
    'pilothouse edge upgrade': 'Hand over to a new process; instances keep running',
  }).action((values: Values) => run({ kind: 'upgrade' }, values))
  add('install', 'Write a systemd unit that keeps the edge running. Root writes one for the machine', {
    'pilothouse edge install': 'Write the unit and print the commands that enable it',
    'pilothouse edge install --print': 'Print the unit instead',
  })
    .option('--print', 'Print the unit instead of writing it')
    .action(({ print = false, ...values }: Values & { print?: boolean }) =>
      run({ kind: 'install', isPrinted: print }, values),
    )
  add('uninstall', 'Remove the systemd unit of the edge', {
    'pilothouse edge uninstall': 'Remove it; the edge keeps running until it is stopped',
  }).action((values: Values) => run({ kind: 'uninstall' }, values))
}
