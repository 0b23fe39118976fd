import { hiddenText, type ConfigEntries } from '../../contract/index.ts'
import type { LoadedConfig } from './load.ts'
import { writtenPlan } from './services.ts'
import type { Setting } from './settings.ts'
import type { Origin } from './tree.ts'
import { shownAddress } from './webhooks.ts'

/** Where a value comes from: `file pilothouse.yaml:3:9`, `environment PILOTHOUSE_…`, `flag --port`, `default`. */
export function wordsForOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'file':
      return `file ${origin.file}:${origin.line}:${origin.column}`
    case 'environment':
    case 'flag':
      return `${origin.kind} ${origin.name}`
    case 'default':
      return 'default'
  }
}

const textOf = (written: unknown): string => {
  if (written === undefined) return ''
  if (typeof written === 'string') return written
  if (Array.isArray(written) && written.every((item) => typeof item === 'string')) return written.join(', ')
  return JSON.stringify(written, withoutSecrets)
}

/** What a command finds in its environment, and where a webhook leads, may be secret wherever it stands. */
function withoutSecrets(key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (key === 'env') return hidden(value)
  return 'kind' in value && value.kind === 'webhook' && 'url' in value && typeof value.url === 'string'
    ? { ...value, url: shownAddress(value.url) }
    : value
}

const hidden = (environment: object) =>
  Object.fromEntries(Object.keys(environment).map((name) => [name, hiddenText]))

/** A reference is no secret, but anything else at a secret's place might be. */
function secretText(written: unknown): string {
  if (written === undefined) return ''
  const [kind, where] = Object.entries(written as Record<string, string>)[0] ?? []
  return kind === 'env' || kind === 'file' ? `${hiddenText} (${kind} ${where ?? ''})` : hiddenText
}

function valueText(setting: Setting, loaded: LoadedConfig, plan: unknown): string {
  const written = loaded.written.get(setting.path)
  if (setting.role === 'secret') return secretText(written)
  if (setting.path === 'dataDirectory') return loaded.config.dataDirectory
  const value = written ?? setting.fallback ?? valueAt({ deploy: plan }, setting.path)
  const isEnvironment = setting.path.endsWith('.env') && typeof value === 'object' && value !== null
  return textOf(isEnvironment ? hidden(value) : value)
}

const valueAt = (root: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (inside, key) =>
        typeof inside === 'object' && inside !== null ? (inside as Record<string, unknown>)[key] : undefined,
      root,
    )

/** One setting of the running config, for a person to read. */
export type ConfigEntry = ConfigEntries['entries'][number] & { isSecret: boolean; description: string }

/**
 * Every setting that holds now with its origin, in the order of the schema; secrets are masked. What a
 * service may set and does not is left out: the setting of the whole config holds.
 */
export function describeConfig(
  loaded: LoadedConfig,
): Omit<ConfigEntries, 'entries'> & { entries: ConfigEntry[] } {
  const plan = writtenPlan(loaded.config.deploy)
  const isSaid = ({ path, fallback }: Setting) =>
    !path.startsWith('services.') || loaded.written.has(path) || fallback !== undefined
  const entries = loaded.settings.filter(isSaid).map((setting) => {
    const origin = loaded.origins.get(setting.path) ?? { kind: 'default' }
    return {
      path: setting.path,
      value: valueText(setting, loaded, plan),
      origin: wordsForOrigin(origin),
      isDefault: origin.kind === 'default',
      isSecret: setting.role === 'secret',
      description: setting.description,
    }
  })
  return { file: loaded.file, environment: loaded.config.environment, entries }
}

export interface ChangedSetting {
  path: string
  from: string
  to: string
}

/** What differs between two configs, as a person reads it. A value that only moved to another line did not change. */
export function changedSettings(before: LoadedConfig, after: LoadedConfig): ChangedSetting[] {
  const valuesOf = (loaded: LoadedConfig) =>
    new Map(describeConfig(loaded).entries.map(({ path, value }) => [path, value]))
  const [old, now] = [valuesOf(before), valuesOf(after)]
  return [...new Set([...now.keys(), ...old.keys()])]
    .map((path) => ({ path, from: old.get(path) ?? '', to: now.get(path) ?? '' }))
    .filter(({ from, to }) => from !== to)
}
