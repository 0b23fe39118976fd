import type { ConfigProblem } from '../../contract/index.ts'
import { nearest } from './nearest.ts'
import { settings, type Setting } from './settings.ts'
import { emptySection, withNode, type ConfigNode, type Origin, type Section } from './tree.ts'

const prefix = 'PILOTHOUSE_'

/** Variables of this name space that are not settings: where the config is, and a switch of the start command. */
const otherNames = /^PILOTHOUSE_(CONFIG|FETCH_ELECTRON)$/

/** What Kubernetes sets in every pod beside a Service named `pilothouse`. */
const serviceLinks =
  /^PILOTHOUSE_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** A secret is a section of two, so that a variable can hold the reference. */
const writable: { path: string; setting: Setting }[] = settings.flatMap((setting) =>
  setting.reads === 'none'
    ? []
    : setting.role === 'secret'
      ? ['env', 'file'].map((part) => ({ path: `${setting.path}.${part}`, setting }))
      : [{ path: setting.path, setting }],
)

const nameOf = (path: string) =>
  prefix +
  path
    .split('.')
    .map((key) => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase())
    .join('__')

const byName = new Map(writable.map((entry) => [nameOf(entry.path), entry]))

/** The variables that set something: `PILOTHOUSE_SERVER__PORT` for `server.port`. */
export const variableNames: readonly string[] = [...byName.keys()]

/** Text of a variable or flag as the value its setting takes; what does not fit stays text and is reported later. */
function nodeOf(text: string, setting: Setting, origin: Origin): ConfigNode {
  if (setting.reads === 'list') {
    const items = text.split(',').map((item) => item.trim())
    return {
      kind: 'list',
      items: items.filter(Boolean).map((value) => ({ kind: 'value', value, origin })),
      origin,
    }
  }
  if (setting.reads === 'boolean' && /^(true|false)$/i.test(text.trim()))
    return { kind: 'value', value: /^true$/i.test(text.trim()), origin }
  const isNumber = setting.reads === 'number' && /^-?\d+(\.\d+)?$/.test(text.trim())
  return { kind: 'value', value: isNumber ? Number(text) : text, origin }
}

export interface ReadVariables {
  root: Section
  problems: ConfigProblem[]
}

/**
 * The settings among environment variables. An empty variable counts as not set; an unknown `PILOTHOUSE_` name is
 * a problem, but for those of the start command and of Kubernetes service links.
 */
export function readVariables(environment: Readonly<Record<string, string | undefined>>): ReadVariables {
  let root = emptySection()
  const problems: ConfigProblem[] = []
  for (const [name, text] of Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(prefix) || !text || otherNames.test(name) || serviceLinks.test(name)) continue
    const entry = byName.get(name)
    if (entry) {
      root = withNode(root, entry.path.split('.'), nodeOf(text, entry.setting, { kind: 'environment', name }))
      continue
    }
    const meant = nearest(
      name.slice(prefix.length),
      variableNames.map((each) => each.slice(prefix.length)),
    )
    problems.push({
      file: name,
      line: 0,
      column: 0,
      path: '',
      message: 'no setting has this environment variable',
      hint: meant
        ? `did you mean ${prefix}${meant}?`
        : 'sections are parted by two underscores: PILOTHOUSE_SERVER__PORT',
    })
  }
  return { root, problems }
}

/** A setting given on the command line. */
export interface Flag {
  /** As the person wrote it: `--port`. */
  name: string
  /** Path of its setting. */
  path: string
  text: string
}

/** The settings among flags. A flag for a setting that does not exist is a defect. */
export function readFlags(flags: readonly Flag[]): Section {
  return flags.reduce((root, { name, path, text }) => {
    const setting = settings.find((each) => each.path === path)
    if (!setting) throw new Error(`the flag ${name} is for an unknown setting ${path}`)
    return withNode(root, path.split('.'), nodeOf(text, setting, { kind: 'flag', name }))
  }, emptySection())
}
