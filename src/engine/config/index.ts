export { changedSettings, describeConfig, unusedByDesktop } from './describe.ts'
export { readService, serviceTextIn, withPathsFrom } from './one-service.ts'
export { changeText, RunningConfig } from './running-config.ts'
export { configJsonSchema } from './json-schema.ts'
export { isSamePlace, type Listening } from './listening.ts'
export {
  loadConfig,
  namedDataDirectory,
  type AccountCheck,
  type ConfigSources,
  type LoadedConfig,
} from './load.ts'
export { keysIn } from './paths.ts'
export { environments, logLevels, type Config, type LogLevel } from './schema.ts'
export { readPlanOptions } from './plan-options.ts'
export type { ConfiguredRelease, ServiceConfig } from './services.ts'
export { isSecret, settings, type Setting } from './settings.ts'
export { nearest } from './nearest.ts'
export { maxConfigBytes } from './text.ts'
export { parseDurationMs } from './units.ts'
export type { SecretReference } from './values.ts'
export { variableNames, type Flag } from './variables.ts'
export { shownService, withKnownAddresses } from './webhooks.ts'
