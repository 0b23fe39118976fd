import { isAbsolute, join, normalize, resolve } from 'node:path'
import type { ConfigProblem } from '../../contract/index.ts'
import { fail, ok, type Result } from '../core/index.ts'
import { buildPlan } from '../deployments/index.ts'
import { checkTree, problemAt } from './check.ts'
import { parseConfigText } from './parse.ts'
import { configFileSchema, configOf, environments, type Config, type Limit } from './schema.ts'
import { withoutReplacedPlans } from './plan-override.ts'
import { mapPaths, settingOf, settingsIn, type Setting } from './settings.ts'
import { decodeConfig } from './text.ts'
import {
  emptySection,
  merge,
  nodeAt,
  originAt,
  plainOf,
  without,
  type ConfigNode,
  type Origin,
  type Section,
} from './tree.ts'
import { readFlags, readVariables, type Flag } from './variables.ts'

/** Everything a config is made from, in rising precedence: file, environment variables, flags. */
export interface ConfigSources {
  /** `path` is absolute. Null when there is no file. */
  file: { path: string; bytes: Uint8Array } | null
  variables: Readonly<Record<string, string | undefined>>
  flags: readonly Flag[]
  places: {
    /** Where relative paths of variables and flags start. Absolute. */
    workingDirectory: string
    /** What `~` stands for. Absolute. */
    home: string
    /** The data directory when nothing names one. Absolute. */
    dataDirectory: string
  }
}

export interface LoadedConfig {
  config: Config
  /** The file it was read from. */
  file: string | null
  /** Where each written setting comes from, by its path (`server.port`); what is not here is a default. */
  origins: ReadonlyMap<string, Origin>
  /** The settings as written, by path, for a person to read. Secrets are references. */
  written: ReadonlyMap<string, unknown>
  /** Every setting that this config has. */
  settings: readonly Setting[]
}

const isWhole = (path: string[]) => settingOf(path)?.role === 'secret'

/** The overrides of one environment, as a tree of settings. */
function overridesOf(file: Section, environment: string): Section {
  const node = nodeAt(file, ['environments', environment])
  return node?.kind === 'section' ? node : emptySection()
}

function chosenEnvironment(sources: readonly Section[]): string {
  const chosen = sources
    .map((source) => nodeAt(source, ['environment']))
    .findLast((node) => node !== undefined)
  return chosen ? String(plainOf(chosen)) : environments[0]
}

/** Paths made absolute: `~/` at home, others where the source that names them stands. */
function withAbsolutePaths(root: Section, places: ConfigSources['places']): Section {
  return mapPaths(root, (text, { origin }) => {
    const base = origin.kind === 'file' ? join(origin.file, '..') : places.workingDirectory
    if (text === '~' || /^~[/\\]/.test(text)) return join(places.home, text.slice(1))
    return isAbsolute(text) ? normalize(text) : resolve(base, text)
  })
}

interface CrossProblem extends ConfigProblem {
  /** The settings it was concluded from. */
  from: readonly string[]
}

/** Rules over more than one setting, told at the setting that breaks them. */
function crossProblems(config: Config, root: Section): CrossProblem[] {
  const problems: CrossProblem[] = []
  const add = (path: string, from: readonly string[], message: string, hint = '') =>
    problems.push({ ...problemAt(originAt(root, path.split('.')), path, message, hint), from })

  const limits = Object.entries<Limit>(config.telemetry.limits)
  for (const [name, { warning, critical }] of limits) {
    if (critical > warning) continue
    const path = `telemetry.limits.${name}`
    const isCriticalWritten = nodeAt(root, `${path}.critical`.split('.')) !== undefined
    add(
      `${path}.${isCriticalWritten ? 'critical' : 'warning'}`,
      [path],
      `found a warning from ${warning} and critical from ${critical}, expected critical above warning`,
    )
  }
  const retention = 'telemetry.retention'
  const { rawMs, minuteMs, hourMs } = config.telemetry.retention
  if (minuteMs < rawMs) {
    const message = 'found minutes kept shorter than raw samples, expected at least as long'
    add(`${retention}.minute`, [`${retention}.raw`, `${retention}.minute`], message)
  }
  if (hourMs < minuteMs) {
    const message = 'found hours kept shorter than minutes, expected at least as long'
    add(`${retention}.hour`, [`${retention}.minute`, `${retention}.hour`], message)
  }
  return [...problems, ...serviceProblems(config, root)]
}

/** A plan that cannot work, and two services at one place. */
function serviceProblems({ deploy, services }: Config, root: Section): CrossProblem[] {
  const told = (path: string, from: readonly string[], message: string): CrossProblem => ({
    ...problemAt(originAt(root, path.split('.')), path, message, ''),
    from,
  })
  const general = buildPlan(deploy)
  if (!general.ok) return [told('deploy', ['deploy'], general.error.message)]
  const taken = new Map<string, string>()
  return services.flatMap(({ definition: { name, listen }, deploy: own }) => {
    const path = `services.${name}`
    const plan = buildPlan(deploy, own)
    const problems = plan.ok ? [] : [told(`${path}.deploy`, ['deploy', `${path}.deploy`], plan.error.message)]
    const place = `${listen.host}:${listen.port}`
    const other = listen.port === 0 ? undefined : taken.get(place)
    taken.set(place, name)
    if (other === undefined) return problems
    const message = `found ${place}, where ${other} listens already, expected a port of its own`
    return [...problems, told(`${path}.listen.port`, [`${path}.listen`, `services.${other}.listen`], message)]
  })
}

/** What was concluded from faulty settings is no news. */
function isConclusive(problem: CrossProblem, found: readonly ConfigProblem[]): boolean {
  const faulty = found.map(({ path }) => path.replace(/^environments\.\w+\.(?=.)/, '')).filter(Boolean)
  return !faulty.some((path) =>
    problem.from.some((from) => path.startsWith(from) || from.startsWith(`${path}.`)),
  )
}

interface ParsedFile {
  root: Section
  problems: ConfigProblem[]
  /** False when it is not even known which settings the file holds. */
  isRead: boolean
}

function parsedFile(file: ConfigSources['file']): ParsedFile {
  if (!file) return { root: emptySection(), problems: [], isRead: true }
  const text = decodeConfig(file.path, file.bytes)
  if (!text.ok) return { root: emptySection(), problems: text.error, isRead: false }
  const parsed = parseConfigText(file.path, text.value)
  // After a mistake of syntax the rest may be misread: what it says is not judged.
  if (parsed.problems.length > 0) return { root: emptySection(), problems: parsed.problems, isRead: false }
  return { ...checkTree(parsed.root), isRead: true }
}

const mostProblems = 100
const inOrder = (a: ConfigProblem, b: ConfigProblem) => a.line - b.line || a.column - b.column

/**
 * The running config out of all its sources, or every mistake in them (at most 100), by line. Pure; never throws
 * on any input.
 */
export function loadConfig(sources: ConfigSources): Result<LoadedConfig, ConfigProblem[]> {
  const file = parsedFile(sources.file)
  const variables = readVariables(sources.variables)
  const checkedVariables = checkTree(variables.root)
  const flags = checkTree(readFlags(sources.flags))
  const problems = [...file.problems, ...variables.problems, ...checkedVariables.problems, ...flags.problems]

  const environment = chosenEnvironment([file.root, checkedVariables.root, flags.root])
  const layers = [
    without(file.root, ['environments']),
    overridesOf(file.root, environment),
    checkedVariables.root,
    flags.root,
  ]
  const merged = layers.reduce((base, layer) => merge(withoutReplacedPlans(base, layer), layer, isWhole))
  const root = withAbsolutePaths(merged, sources.places)

  // Faulty parts are left out above, and no key must be there.
  const parsed = configFileSchema.safeParse(plainOf(root))
  if (!parsed.success) throw new Error('a checked config does not parse', { cause: parsed.error })
  const config = configOf(parsed.data, sources.places.dataDirectory)
  const cross = !file.isRead ? [] : crossProblems(config, root)
  problems.push(
    ...cross.filter((each) => isConclusive(each, problems)).map(({ from: _from, ...problem }) => problem),
  )
  if (problems.length > 0) return fail(problems.sort(inOrder).slice(0, mostProblems))

  const settings = settingsIn(root)
  const found = settings.flatMap(({ path }): [string, ConfigNode][] => {
    const node = nodeAt(root, path.split('.'))
    return node ? [[path, node]] : []
  })
  return ok({
    config,
    file: sources.file?.path ?? null,
    origins: new Map(found.map(([path, node]) => [path, node.origin])),
    written: new Map(found.map(([path, node]) => [path, plainOf(node)])),
    settings,
  })
}
