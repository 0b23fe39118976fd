import { isAbsolute, resolve } from 'node:path'
import { AppError, fail, ok, type Result } from '../../base/index.ts'
import { loadConfig, type AccountCheck } from './load.ts'
import { type ConfigProblem } from '../../contract/index.ts'
import { isWithin, keysIn, pathText } from './paths.ts'
import { parseConfigText } from './parse.ts'
import type { ServiceConfig } from './services.ts'
import { mapPaths, withTextsAsWritten } from './settings.ts'
import { emptySection, nodeAt, plainOf, withNode } from './tree.ts'

/** A name for text that stands in no file; `.json` is read strictly. */
const nowhere = '/service.json'

/**
 * A service out of what would stand under its name in the `services` section of a config. BAD_INPUT with every
 * mistake, each with its path; a relative path is one, as there is no file that it could start from.
 */
export function readService(
  name: string,
  written: Readonly<Record<string, unknown>>,
  accountProblem?: AccountCheck,
): Result<ServiceConfig> {
  if (isNestedTooDeeply(written))
    return fail(
      new AppError('BAD_INPUT', `${name} is nested too deeply: at most ${mostLevels} levels are read`),
    )
  // Where the server listens is not known here: it is no business of one service.
  const text = JSON.stringify({ server: { port: 0 }, services: { [name]: written } })
  const relative: string[] = []
  mapPaths(parseConfigText(nowhere, text).root, (path) => {
    if (!isAbsolute(path)) relative.push(path)
    return path
  })
  const loaded = loadConfig({
    file: { path: nowhere, bytes: new TextEncoder().encode(text), directory: null },
    variables: {},
    flags: [],
    places: { workingDirectory: '/', home: '/', dataDirectory: '/' },
    accountProblem,
  })
  const mistakes = [
    ...(loaded.ok ? [] : loaded.error.map(({ path, message, hint }) => told(name, path, message, hint))),
    ...relative.map((path) => `found the path ${path}, expected an absolute one`),
  ]
  const service = loaded.ok ? loaded.value.config.services[0] : undefined
  if (mistakes.length === 0 && service) return ok(service)
  return fail(new AppError('BAD_INPUT', mistakes.join('; '), { details: { mistakes } }))
}

const mostLevels = 40

/** Without recursion: what comes from outside may be nested far deeper than the stack goes. */
function isNestedTooDeeply(value: unknown): boolean {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels) return true
    level = level.flatMap((each) =>
      typeof each === 'object' && each !== null ? (Object.values(each) as unknown[]) : [],
    )
  }
  return false
}

/**
 * What a file of one service says, as `readService` takes it: the keys below its name, and each text as it is written.
 * Fails with the mistakes of notation.
 */
export function serviceTextIn(
  name: string,
  file: string,
  text: string,
): Result<Readonly<Record<string, unknown>>, ConfigProblem[]> {
  const { root, problems } = parseConfigText(file, text)
  if (problems.length > 0) return fail(problems)
  const whole = withTextsAsWritten(withNode(emptySection(), ['services', name], root))
  const written = nodeAt(whole, ['services', name])
  return ok(plainOf(written ?? root) as Record<string, unknown>)
}

/**
 * A service as a person wrote it in a file of `directory`, with its relative paths made absolute. Releases without a
 * `cwd` get the directory: they run where their file is, as those of a config do.
 */
export function withPathsFrom(
  directory: string,
  written: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const name = 'service'
  const { root } = parseConfigText(nowhere, JSON.stringify({ services: { [name]: written } }))
  const node = nodeAt(
    mapPaths(root, (path) => (/^~([/\\]|$)/.test(path) ? path : resolve(directory, path))),
    ['services', name],
  )
  const absolute = node ? (plainOf(node) as Record<string, unknown>) : written
  const { releases } = absolute
  if (!isSection(releases)) return absolute
  const placed = Object.entries(releases).map(([id, release]) => [
    id,
    isSection(release) ? { cwd: directory, ...release } : release,
  ])
  return { ...absolute, releases: Object.fromEntries(placed) as unknown }
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Without where it would stand in a file: the caller wrote one service. */
function told(name: string, path: string, message: string, hint: string): string {
  const keys = keysIn(path)
  const own = isWithin(keys, ['services', name]) ? pathText(keys.slice(2)) : ''
  return `${own === '' ? '' : `${own}: `}${message}${hint === '' ? '' : ` (${hint})`}`
}
