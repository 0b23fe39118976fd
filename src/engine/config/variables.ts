import type { ConfigProblem } from '../../contract/index.ts'
import { nearest } from './nearest.ts'
import { settings, type Setting } from './settings.ts'
import { emptySection, withNode, type ConfigNode, type ValueOrigin, type Section } from './tree.ts'

const prefix = 'PILOTHOUSE_'

/** Variables that people set and that are no settings: they name the config, or the engine to talk to. */
const otherKnown = ['CONFIG', 'URL', 'TOKEN', 'FETCH_ELECTRON']

type Environment = Readonly<Record<string, string | undefined>>

/** What Pilothouse sets itself: for the edge, and for instances, checks and hooks, which may well run this program. */
const ownNames =
  /^PILOTHOUSE_(EDGE(_[A-Z_]+)?|CONTENT|SERVICE|RELEASE|INSTANCE|STABLE_RELEASE|DEPLOYMENT|HOOK_KEY|PHASE|WHEN|STEP|WEIGHT|RUN_ID)$/

/** What Kubernetes sets in every pod beside a Service named `pilothouse`: always all of them, PILOTHOUSE_PORT included. */
const serviceLinks =
  /^PILOTHOUSE_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** A person writes `8080` where Kubernetes writes `tcp://10.0.0.1:8080`. */
const isLinked = ({ PILOTHOUSE_PORT: port = '' }: Environment): boolean => /^(tcp|udp|sctp):\/\//i.test(port)

/** A secret is a section of two, so that a variable can hold the reference. */
const writable: { keys: readonly string[]; setting: Setting }[] = settings.flatMap((setting) =>
  setting.reads === 'none'
    ? []
    : setting.role === 'secret'
      ? ['env', 'file'].map((part) => ({ keys: [...setting.keys, part], setting }))
      : [{ keys: setting.keys, setting }],
)

const nameOf = (keys: readonly string[]) =>
  prefix + keys.map((key) => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('__')

const byName = new Map(writable.map((entry) => [nameOf(entry.keys), entry]))

/** The variables that set something: `PILOTHOUSE_SERVER__PORT` for `server.port`. */
export const variableNames: readonly string[] = [...byName.keys()]

/** What a mistyped name may have meant, without the prefix. */
const knownNames = [...variableNames.map((each) => each.slice(prefix.length)), ...otherKnown]

/** Text of a variable or flag as the value its setting takes; what does not fit stays text and is reported later. */
function nodeOf(text: string, setting: Setting, origin: ValueOrigin): ConfigNode {
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
  /** Names in this name space that resemble nothing Pilothouse knows: someone else's, most likely. Sorted. */
  ignored: string[]
}

/**
 * The settings among environment variables. An empty variable counts as not set. A `PILOTHOUSE_` name close to a known one
 * is a mistake; one that resembles none is ignored, because scripts around this program name variables after it.
 */
export function readVariables(environment: Environment): ReadVariables {
  let root = emptySection()
  const problems: ConfigProblem[] = []
  const ignored: string[] = []
  for (const [name, text] of Object.entries(environment).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(prefix) || !text || isOther(name, environment)) continue
    const entry = byName.get(name)
    if (entry) {
      root = withNode(root, entry.keys, nodeOf(text, entry.setting, { kind: 'environment', name }))
      continue
    }
    const meant = nearest(name.slice(prefix.length), knownNames)
    if (meant === undefined) {
      ignored.push(name)
      continue
    }
    problems.push({
      file: name,
      line: 0,
      column: 0,
      path: '',
      message: 'no setting has this environment variable',
      hint: `did you mean ${prefix}${meant}? If the variable is not for Pilothouse, rename or unset it`,
    })
  }
  return { root, problems, ignored }
}

const isOther = (name: string, environment: Environment): boolean =>
  otherKnown.includes(name.slice(prefix.length)) ||
  ownNames.test(name) ||
  (serviceLinks.test(name) && isLinked(environment))

/** A setting given on the command line. */
export interface Flag {
  /** As the person wrote it: `--port`. */
  name: string
  /** Path of its setting. */
  path: string
  text: string
  /** `null` stands for null, as in a file; elsewhere it is text. */
  mayBeNull?: boolean
}

/** The settings among flags. A flag for a setting that does not exist is a defect. */
export function readFlags(flags: readonly Flag[]): Section {
  return flags.reduce((root, { name, path, text, mayBeNull }) => {
    const setting = settings.find((each) => each.path === path)
    if (!setting) throw new Error(`the flag ${name} is for an unknown setting ${path}`)
    const origin: ValueOrigin = { kind: 'flag', name }
    const node: ConfigNode =
      mayBeNull && text.trim() === 'null'
        ? { kind: 'value', value: null, origin }
        : nodeOf(text, setting, origin)
    return withNode(root, setting.keys, node)
  }, emptySection())
}
