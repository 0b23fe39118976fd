import { dirname, isAbsolute, join, normalize, resolve } from 'node:path'
import { fail, messageOf, ok, type Result } from '../../base/index.ts'
import type { AccountProblem, AccountSettings, ConfigProblem } from '../../contract/index.ts'
import { buildPlan } from '../deployments/index.ts'
import { checkTree, problemAt, soundPart } from './check.ts'
import { isSamePlace, type Listening } from './listening.ts'
import { parseConfigText } from './parse.ts'
import { isWithin, keysIn } from './paths.ts'
import { configFileSchema, configOf, environments, type Config, type LimitSetting } from './schema.ts'
import { withoutReplacedPlans } from './plan-override.ts'
import { mapPaths, settingOf, settingsIn, withTextsAsWritten, type Setting } from './settings.ts'
import { decodeConfig } from './text.ts'
import {
  emptySection,
  merge,
  nodeAt,
  originAt,
  plainOf,
  without,
  wordsForOrigin,
  type ConfigNode,
  type ValueOrigin,
  type Section,
} from './tree.ts'
import { readFlags, readVariables, type Flag } from './variables.ts'

/** Everything a config is made from, in rising precedence: file, environment variables, flags. */
export interface ConfigSources {
  /**
   * `path` is absolute. Null when there is no file. Releases run in its directory by default, unless `directory` is null:
   * the text stands in no real file.
   */
  file: { path: string; bytes: Uint8Array; directory?: null } | null
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
  /** Why the programs of a service cannot run as its `user` and `group`; null when they can. Left out: not judged. */
  accountProblem?: AccountCheck | undefined
}

export type AccountCheck = (settings: AccountSettings) => AccountProblem | null

export interface LoadedConfig {
  config: Config
  /** The file it was read from. */
  file: string | null
  /** Where each written setting comes from, by its path (`server.port`); what is not here is a default. */
  origins: ReadonlyMap<string, ValueOrigin>
  /** The settings as written, by path, for a person to read. Secrets are references. */
  written: ReadonlyMap<string, unknown>
  /** Every setting that this config has. */
  settings: readonly Setting[]
  /** Environment variables named after Pilothouse that set nothing and resemble no setting. */
  ignoredVariables: readonly string[]
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

type Path = readonly string[]

interface CrossProblem {
  problem: ConfigProblem
  /** The settings it was concluded from. */
  from: readonly Path[]
}

/** Rules over more than one setting, told at the setting that breaks them. */
function crossProblems(config: Config, root: Section, accountProblem?: AccountCheck): CrossProblem[] {
  const problems: CrossProblem[] = []
  const add = (path: Path, from: readonly Path[], message: string, hint = '') =>
    problems.push({ problem: problemAt(originAt(root, path), path, message, hint), from })

  const limits = Object.entries<LimitSetting>(config.telemetry.limits)
  for (const [name, { warning, critical }] of limits) {
    if (critical > warning) continue
    const path = ['telemetry', 'limits', name]
    const isCriticalWritten = nodeAt(root, [...path, 'critical']) !== undefined
    add(
      [...path, isCriticalWritten ? 'critical' : 'warning'],
      [path],
      `found a warning from ${warning} and critical from ${critical}, expected critical above warning`,
      'raise critical, or lower warning',
    )
  }
  const kept = (of: string) => ['telemetry', 'retention', of]
  const { rawMs, minuteMs, hourMs } = config.telemetry.retention
  if (minuteMs < rawMs) {
    const message = 'found a shorter retention for minutes than for raw samples, expected at least as long'
    add(kept('minute'), [kept('raw'), kept('minute')], message, 'raise minute, or lower raw')
  }
  if (hourMs < minuteMs) {
    const message = 'found a shorter retention for hours than for minutes, expected at least as long'
    add(kept('hour'), [kept('minute'), kept('hour')], message, 'raise hour, or lower minute')
  }
  return [...problems, ...serviceProblems(config, root), ...accountProblems(config, root, accountProblem)]
}

const planRemedy = 'change the steps, limits or times of this plan so that they fit together'

/** A plan that cannot work, and two that listen at one place. */
function serviceProblems({ deploy, services, server }: Config, root: Section): CrossProblem[] {
  const told = (path: Path, from: readonly Path[], message: string, hint = planRemedy): CrossProblem => ({
    problem: problemAt(originAt(root, path), path, message, hint),
    from,
  })
  const general = buildPlan(deploy)
  if (!general.ok) return [told(['deploy'], [['deploy']], general.error.message)]
  const ofServer = wordsForOrigin(nodeAt(root, ['server', 'port'])?.origin ?? { kind: 'default' })
  const taken: (Listening & { by: string; from: Path[] })[] = [
    {
      ...server,
      by: `where Pilothouse itself listens (server.port: ${ofServer})`,
      from: [
        ['server', 'port'],
        ['server', 'host'],
      ],
    },
  ]
  return services.flatMap(({ definition: { name, listen }, deploy: own }) => {
    const path = ['services', name]
    const plan = buildPlan(deploy, own)
    const problems = plan.ok
      ? []
      : [told([...path, 'deploy'], [['deploy'], [...path, 'deploy']], plan.error.message)]
    const place = [...path, 'listen']
    const other = taken.find((each) => isSamePlace(each, listen))
    if (!other) {
      taken.push({ ...listen, by: `where ${name} already listens`, from: [place] })
      return problems
    }
    const message = `found ${listen.host}:${listen.port}, ${other.by}, expected a port of its own`
    const from = [place, ...other.from]
    const hint = 'write another port, or 0 for a free one'
    return [...problems, told([...path, 'listen', 'port'], from, message, hint)]
  })
}

/** Users and groups that programs cannot have here. */
function accountProblems(
  { services }: Config,
  root: Section,
  check: AccountCheck = () => null,
): CrossProblem[] {
  return services.flatMap(({ definition: { name, user, group } }) => {
    const problem = check({ user, group })
    if (!problem) return []
    const path = ['services', name, problem.setting]
    return [{ problem: problemAt(originAt(root, path), path, problem.message, problem.hint), from: [path] }]
  })
}

/** What was concluded from faulty settings is no news. */
function isConclusive({ from }: CrossProblem, found: readonly ConfigProblem[]): boolean {
  const faulty = found
    .map(({ path }) => keysIn(path))
    .map((keys) => (keys[0] === 'environments' && keys.length > 2 ? keys.slice(2) : keys))
    .filter((keys) => keys.length > 0)
  return !faulty.some((keys) => from.some((each) => isWithin(keys, each) || isWithin(each, keys)))
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
  return { ...checkTree(withTextsAsWritten(parsed.root)), isRead: true }
}

/**
 * The data directory that these sources name, whatever else in them is wrong: absolute, or null when they name none. For
 * what must work with a config that does not.
 */
export function namedDataDirectory({ file, variables, flags, places }: ConfigSources): string | null {
  const { root } = parsedFile(file)
  const written = checkTree(readVariables(variables).root).root
  const flagged = checkTree(readFlags(flags)).root
  const environment = chosenEnvironment([root, written, flagged])
  const values = [root, overridesOf(root, environment), written, flagged].flatMap((layer) => {
    const node = nodeAt(withAbsolutePaths(layer, places), ['dataDirectory'])
    return node ? [plainOf(node)] : []
  })
  const named = values.at(-1)
  return typeof named === 'string' ? named : null
}

const mostProblems = 100
const inOrder = (a: ConfigProblem, b: ConfigProblem) => a.line - b.line || a.column - b.column

/**
 * The running config out of all its sources, or every mistake in them (at most 100), by line. Pure; never throws
 * on any input: what reads it may be steering production by an earlier config.
 */
export function loadConfig(sources: ConfigSources): Result<LoadedConfig, ConfigProblem[]> {
  try {
    return loadedFrom(sources)
  } catch (thrown) {
    const message = `Pilothouse could not read this configuration because of a bug in Pilothouse: ${messageOf(thrown)}`
    const hint = 'undo the latest change, and report the file with this message'
    return fail([{ file: sources.file?.path ?? '', line: 1, column: 1, path: '', message, hint }])
  }
}

function loadedFrom(sources: ConfigSources): Result<LoadedConfig, ConfigProblem[]> {
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
  // Each source is right by itself, and yet they may not fit together.
  if (problems.length === 0) problems.push(...checkTree(merged).problems)
  const root = withAbsolutePaths(soundPart(merged), sources.places)
  const config = configOf(configFileSchema.parse(plainOf(root)), {
    written: root,
    dataDirectory: sources.places.dataDirectory,
    fileDirectory: sources.file && sources.file.directory !== null ? dirname(sources.file.path) : null,
  })
  const cross = !file.isRead ? [] : crossProblems(config, root, sources.accountProblem)
  problems.push(...cross.filter((each) => isConclusive(each, problems)).map(({ problem }) => problem))
  if (problems.length > 0) return fail(problems.sort(inOrder).slice(0, mostProblems))

  const settings = settingsIn(root)
  const found = settings.flatMap(({ keys, path }): [string, ConfigNode][] => {
    const node = nodeAt(root, keys)
    return node ? [[path, node]] : []
  })
  return ok({
    config,
    file: sources.file?.path ?? null,
    origins: new Map(found.map(([path, node]) => [path, node.origin])),
    written: new Map(found.map(([path, node]) => [path, plainOf(node)])),
    settings,
    ignoredVariables: variables.ignored,
  })
}
