export { changedSettings, describeConfig, type ChangedSetting, type ConfigEntry } from './describe.ts'
export { readService } from './one-service.ts'
export { configJsonSchema } from './json-schema.ts'
export { loadConfig, type ConfigSources, type LoadedConfig } from './load.ts'
export {
  environments,
  logLevels,
  type Config,
  type Environment,
  type Limit,
  type LogLevel,
} from './schema.ts'
export { readPlanOptions } from './plan-options.ts'
export type { ConfiguredRelease, ServiceConfig } from './services.ts'
export { isSecret } from './settings.ts'
export { maxConfigBytes } from './text.ts'
export type { Origin } from './tree.ts'
export { parseDurationMs } from './units.ts'
export type { SecretReference } from './values.ts'
export { variableNames, type Flag } from './variables.ts'
export { shownService, withKnownAddresses } from './webhooks.ts'
