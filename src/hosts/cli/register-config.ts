import type { Command } from 'commander'
import type { System } from '../../adapters/config/index.ts'
import { checkConfig, printSchema, showConfig, type CommandSurroundings } from './config-commands.ts'
import { withExamples } from './help/index.ts'
import { requestOf, withJsonOption, withSettingOptions, type SettingValues } from './setting-options.ts'

type Values = SettingValues & { json?: boolean }

/** Adds the commands that read the configuration. */
export function registerConfig(
  program: Command,
  surroundings: CommandSurroundings & { system: System },
  done: (code: number) => void,
): void {
  const { system } = surroundings
  const config = program.command('config').description('Check and show the configuration')
  withExamples(withJsonOption(withSettingOptions(config.command('check'))), {
    'pilothouse config check': 'Check the configuration that would be read here',
    'pilothouse config check --config staging.yaml --json': 'Check another file, for a script',
  })
    .description('Find every error, with its line, column and remedy')
    .action(async ({ json = false, ...values }: Values) => {
      done(await checkConfig(requestOf(values, system), json, surroundings))
    })
  withExamples(withJsonOption(withSettingOptions(config.command('show'))), {
    'pilothouse config show': 'Show all settings, those that you set first',
    'pilothouse config show --port 9000': 'Show what a flag would change',
  })
    .description('Show every setting with its value and where it comes from. Secrets are masked')
    .action(async ({ json = false, ...values }: Values) => {
      done(await showConfig(requestOf(values, system), json, surroundings))
    })
  withExamples(withJsonOption(config.command('schema')), {
    'pilothouse config schema > pilothouse.schema.json': 'Write it to a file for an editor',
  })
    .description('Print the JSON Schema of the configuration, for editors')
    .action(() => done(printSchema(surroundings)))
}
