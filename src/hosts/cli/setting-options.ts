import { Option, type Command } from 'commander'
import type { ConfigRequest, System } from '../../adapters/config/index.ts'
import { environments, logLevels, type Flag } from '../../engine/config/index.ts'

/** Options that set a setting, by the name commander gives them. */
const settingOptions = {
  port: {
    path: 'server.port',
    option: new Option('--port <number>', 'port to listen on; 0 takes a free one'),
  },
  host: { path: 'server.host', option: new Option('--host <address>', 'loopback address to listen on') },
  dataDir: {
    path: 'dataDirectory',
    option: new Option('--data-dir <path>', 'where databases and logs are kept'),
  },
  environment: {
    path: 'environment',
    option: new Option('--environment <name>', `what is steered: ${environments.join(', ')}`),
  },
  logLevel: {
    path: 'logging.level',
    option: new Option('--log-level <level>', `least severity that is logged: ${logLevels.join(', ')}`),
  },
} as const

export type SettingValues = Partial<Record<keyof typeof settingOptions | 'config', string>>

/** Adds what every command that reads the config takes. */
export function withSettingOptions(command: Command): Command {
  command.option('--config <file>', 'config file; else PILOTHOUSE_CONFIG, else pilothouse.yaml here')
  for (const { option } of Object.values(settingOptions)) command.addOption(option)
  return command
}

/** Adds what a command takes that looks for a running engine. */
export function withPlaceOptions(command: Command): Command {
  command.option('--config <file>', 'config file; else PILOTHOUSE_CONFIG, else pilothouse.yaml here')
  return command.addOption(settingOptions.dataDir.option)
}

/** The config these options ask for. Values are judged with all other sources, not by the command line. */
export function requestOf(values: SettingValues, system: System): ConfigRequest {
  const flags = Object.entries(settingOptions).flatMap(([name, { path, option }]): Flag[] => {
    const text = values[name as keyof typeof settingOptions]
    return text === undefined ? [] : [{ name: option.long ?? name, path, text }]
  })
  return { system, file: values.config, flags }
}
