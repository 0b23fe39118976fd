import { hiddenText, type ConfigEntries } from '../../contract/index.ts'
import type { LoadedConfig } from './load.ts'
import { isWithin, keysIn } from './paths.ts'
import { deciderOf, writtenOptions, writtenPlan } from './services.ts'
import type { Setting } from './settings.ts'
import { wordsForOrigin } from './tree.ts'
import { shownAddress } from './webhooks.ts'

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

function valueText(setting: Setting, loaded: LoadedConfig, { plan, decider }: InForce): string {
  const written = decider(setting.path) === undefined ? loaded.written.get(setting.path) : undefined
  if (setting.role === 'secret') return secretText(written)
  if (setting.path === 'dataDirectory') return loaded.config.dataDirectory
  const value = written ?? setting.fallback ?? valueAt({ deploy: plan }, setting.keys)
  const isEnvironment = setting.keys.at(-1) === 'env' && typeof value === 'object' && value !== null
  return textOf(isEnvironment ? hidden(value) : value)
}

const valueAt = (root: unknown, keys: readonly string[]): unknown =>
  keys.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null ? (inside as Record<string, unknown>)[key] : undefined,
    root,
  )

/** What plans come to, and which other setting decides one of them. */
interface InForce {
  plan: unknown
  /** The path of the setting that decides the one at `path`; undefined where that holds as it is written, or its default. */
  decider: (path: string) => string | undefined
}

const deploySection = 'deploy.'

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function inForce({ config, written }: LoadedConfig): InForce {
  const plan = writtenPlan(config.deploy)
  const options = writtenOptions(config.deploy)
  return {
    plan,
    decider: (path) => {
      if (!path.startsWith(deploySection)) return undefined
      const key = path.slice(deploySection.length)
      if (written.has(path) && isSame(valueAt(plan, keysIn(key)), valueAt(options, keysIn(key))))
        return undefined
      const decider = deciderOf(key, config.deploy, (each) => written.has(deploySection + each))
      return decider && deploySection + decider
    },
  }
}

/** One setting of the running config, for a person to read. */
export type ConfigEntry = ConfigEntries['entries'][number] & { isSecret: boolean; description: string }

/** What is known of the program that a config is described for. */
export interface Standpoint {
  /** As loaded when it started: what needs a restart holds from there. The described one when left out. */
  started?: LoadedConfig
  /** Sections that mean nothing to this program. */
  unused?: readonly string[]
}

/** The sections that the desktop app passes over: nobody reaches its engine over the network. */
export const unusedByDesktop: readonly string[] = ['server', 'logging.destination']

const isIn = (keys: readonly string[], sections: readonly string[]) =>
  sections.some((section) => isWithin(keys, keysIn(section)))

function effectOf({ keys, needsRestart }: Setting, unused: readonly string[]): ConfigEntry['effect'] {
  if (isIn(keys, unused)) return 'unused'
  return needsRestart ? 'restart' : 'live'
}

/**
 * Every setting that holds now with its origin, in the order of the schema; secrets are masked. What a
 * service may set and does not is left out: the setting of the whole config holds.
 */
export function describeConfig(
  loaded: LoadedConfig,
  { started = loaded, unused = [] }: Standpoint = {},
): Omit<ConfigEntries, 'entries'> & { entries: ConfigEntry[] } {
  const holding = inForce(loaded)
  const isSaid = ({ keys, path, fallback }: Setting) =>
    keys[0] !== 'services' || loaded.written.has(path) || fallback !== undefined
  const entries = loaded.settings.filter(isSaid).map((setting): ConfigEntry => {
    const effect = effectOf(setting, unused)
    const value = valueText(setting, loaded, holding)
    const before = effect === 'restart' ? valueText(setting, started, holding) : value
    const decider = holding.decider(setting.path)
    const origin = loaded.origins.get(decider ?? setting.path) ?? { kind: 'default' }
    return {
      path: setting.path,
      value,
      origin: decider === undefined ? wordsForOrigin(origin) : `${decider} (${wordsForOrigin(origin)})`,
      isDefault: origin.kind === 'default',
      isSecret: setting.role === 'secret',
      description: setting.description,
      effect,
      running: before === value ? null : before,
    }
  })
  const { environment, display } = loaded.config
  return { file: loaded.file, environment, timeZone: display.timeZone, entries }
}

export interface ChangedSetting {
  path: string
  effect: ConfigEntry['effect']
  from: string
  to: string
}

/** What differs between two configs, as a person reads it. A value that only moved to another line did not change. */
export function changedSettings(
  before: LoadedConfig,
  after: LoadedConfig,
  standpoint: Standpoint = {},
): ChangedSetting[] {
  const entriesOf = (loaded: LoadedConfig) =>
    new Map(
      describeConfig(loaded, { ...standpoint, started: loaded }).entries.map((entry) => [entry.path, entry]),
    )
  const [old, now] = [entriesOf(before), entriesOf(after)]
  return [...new Set([...now.keys(), ...old.keys()])]
    .map((path) => ({
      path,
      effect: (now.get(path) ?? old.get(path))?.effect ?? ('live' as const),
      from: old.get(path)?.value ?? '',
      to: now.get(path)?.value ?? '',
    }))
    .filter(({ from, to }) => from !== to)
}
