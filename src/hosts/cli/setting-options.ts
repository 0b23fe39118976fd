import { Option, type Command } from 'commander'
import type { ConfigRequest, System } from '../../adapters/config/index.ts'
import { shellWord } from '../../contract/index.ts'
import { environments, logLevels, type Flag } from '../../engine/config/index.ts'

/** Options that set a setting, by the name commander gives them. */
const settingOptions = {
  port: {
    path: 'server.port',
    option: new Option('--port <number>', 'Port to listen on; 0 takes a free one'),
  },
  host: { path: 'server.host', option: new Option('--host <address>', 'Loopback address to listen on') },
  dataDir: {
    path: 'dataDirectory',
    option: new Option('--data-dir <path>', 'Directory of databases and logs'),
  },
  environment: {
    path: 'environment',
    option: new Option('--environment <name>', `Environment: ${environments.join(', ')}`),
  },
  logLevel: {
    path: 'logging.level',
    option: new Option('--log-level <level>', `Lowest level to log: ${logLevels.join(', ')}`),
  },
} as const

const configText =
  'Configuration file (default: PILOTHOUSE_CONFIG, then pilothouse.yaml here, then in the configuration directory of the user)'

export type SettingValues = Partial<Record<keyof typeof settingOptions | 'config', string>>

/** Adds what every command that reads the config takes. */
export function withSettingOptions(command: Command): Command {
  command.option('--config <file>', configText)
  for (const { option } of Object.values(settingOptions)) command.addOption(option)
  return command
}

/** Adds what a command takes that looks for a running engine. */
export function withPlaceOptions(command: Command): Command {
  command.option('--config <file>', configText)
  return command.addOption(settingOptions.dataDir.option)
}

/** A command line for a person to run next, with the places that this one was given: `deploy shop r1 --data-dir data`. */
export function nextCommand(
  words: string,
  { file, flags = [] }: Pick<ConfigRequest, 'file' | 'flags'>,
): string {
  const dataDirectory = flags.find(({ path }) => path === 'dataDirectory')
  const places = [
    ...(file === undefined ? [] : ['--config', shellWord(file)]),
    ...(dataDirectory ? [dataDirectory.name, shellWord(dataDirectory.text)] : []),
  ]
  // What follows -- is the command of a release.
  const [own = '', ...rest] = words.split(' -- ')
  return ['pilothouse', own, ...places].join(' ') + rest.map((each) => ` -- ${each}`).join('')
}

/** Adds the option of every command that prints a result. */
export const withJsonOption = (command: Command): Command =>
  command.option('--json', 'Write the result as JSON')

/** The config these options ask for. Values are judged with all other sources, not by the command line. */
export function requestOf(values: SettingValues, system: System): ConfigRequest {
  const flags = Object.entries(settingOptions).flatMap(([name, { path, option }]): Flag[] => {
    const text = values[name as keyof typeof settingOptions]
    return text === undefined ? [] : [{ name: option.long ?? name, path, text }]
  })
  return { system, file: values.config, flags }
}
