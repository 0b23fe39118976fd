import { shortened } from '../../base/index.ts'
import type * as z from 'zod'
import { processTextWords, type ConfigProblem } from '../../contract/index.ts'
import { nearest } from './nearest.ts'
import { pathText } from './paths.ts'
import { configFileSchema } from './schema.ts'
import { isMap, isSecret, keysOfSection, placeOfKey, settingOf, type Setting } from './settings.ts'
import {
  emptySection,
  keyOriginAt,
  nodeAt,
  originAt,
  plainOf,
  without,
  type ConfigNode,
  type ValueOrigin,
  type Section,
} from './tree.ts'

type Issue = z.core.$ZodIssue

const longestShown = 60

/** Names a value in a message, so that a person finds it again. */
function wordsFor(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') {
    return `the string ${JSON.stringify(shortened(value, longestShown))}`
  }
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`
  if (typeof value === 'boolean') return `the word ${value}`
  return Array.isArray(value) ? 'a list' : 'a section'
}

/** A problem at an origin; for a variable or flag `file` is its name and `line` is 0. */
export function problemAt(
  origin: ValueOrigin,
  keys: readonly PropertyKey[],
  message: string,
  hint: string,
): ConfigProblem {
  const path = pathText(keys)
  if (origin.kind === 'file') {
    return { file: origin.file, line: origin.line, column: origin.column, path, message, hint }
  }
  return { file: origin.kind === 'default' ? '' : origin.name, line: 0, column: 0, path, message, hint }
}

const listed = (keys: readonly string[]) => keys.join(', ')

function unknownKey(root: Section, path: string[]): ConfigProblem {
  const key = path.at(-1) ?? ''
  const keys = keysOfSection(path.slice(0, -1), root) ?? []
  const meant = nearest(key, keys)
  const elsewhere = placeOfKey(path.slice(0, -1), key, root)
  const hint = meant
    ? `did you mean "${meant}"?`
    : elsewhere
      ? `did you mean "${elsewhere}"?`
      : key === '<<'
        ? 'merge keys are not supported: write the keys themselves, or an alias for the whole section'
        : 'remove it, or write one of the expected keys'
  const message = `unknown key ${JSON.stringify(shortened(key, longestShown))}, expected ${listed(keys)}`
  return problemAt(keyOriginAt(root, path), path, message, hint)
}

function wrongValue(root: Section, path: PropertyKey[]): ConfigProblem {
  const setting = settingOf(path, root)
  const node = nodeAt(root, path)
  const value = node ? plainOf(node) : undefined
  const origin = originAt(root, path)
  if (!setting) {
    const keys = keysOfSection(path, root)
    const expected = keys ? `a section with ${listed(keys)}` : 'a section of names'
    const message = `found ${wordsFor(value)}, expected ${expected}`
    return problemAt(origin, path, message, 'indent its keys below it, each as `key: value`')
  }
  if (setting.role === 'secret') {
    const hint = 'write {env: NAME} or {file: path} in place of the secret, which is not shown here'
    return problemAt(origin, path, `found no reference, expected ${setting.expected}`, hint)
  }
  // Of what is no text at all, that is said first.
  const isNoText = setting.expected === processTextWords && typeof value !== 'string'
  const found = `found ${wordsFor(value)}, expected ${isNoText ? 'a string' : setting.expected}`
  return problemAt(origin, path, found, valueRemedy(setting, path, node))
}

/** How to put a wrong value right. */
function valueRemedy(setting: Setting, path: readonly PropertyKey[], node: ConfigNode | undefined): string {
  const value = node && plainOf(node)
  const meant = typeof value === 'string' ? nearest(value, setting.choices) : undefined
  if (meant) return `did you mean "${meant}"?`
  const key = path.map(String).findLast((each) => !/^\d+$/.test(each)) ?? ''
  const suggested = setting.suggest(value, key, setting.fallback)
  if (suggested !== '') return suggested
  const source = node?.kind === 'value' ? (node.source ?? '') : ''
  const isText = setting.reads === 'text' && setting.choices.length === 0
  if (isText && source !== '') return `put it in quotes: ${JSON.stringify(source)}`
  if (typeof value === 'string' && setting.reads === 'number' && /^\d+(\.\d+)?$/.test(value))
    return `write the number without quotes: ${value}`
  if (typeof value === 'string' && /^(yes|no|on|off|true|false)$/i.test(value) && setting.reads === 'boolean')
    return `write ${/^(yes|on|true)$/i.test(value)}, without quotes`
  const { fallback } = setting
  const isShown = ['string', 'number', 'boolean'].includes(typeof fallback)
  if (isShown && fallback !== '') return `correct it, or remove ${key} for the default: ${String(fallback)}`
  return value === undefined || value === null
    ? `write a value after ${key}: ${setting.expected}`
    : `replace it; to see what ${key} takes, run: pilothouse config schema`
}

/** A name in a map that cannot be one. */
function wrongName(root: Section, path: string[], expected: string): ConfigProblem {
  const message = `found the name ${JSON.stringify(shortened(path.at(-1) ?? '', longestShown))}, expected ${expected}`
  return problemAt(keyOriginAt(root, path), path, message, 'choose another name')
}

/** `server:` with all its keys commented out is an empty section, not a mistake. */
function withEmptySections(node: Section, root: Section, at: readonly string[] = []): Section {
  const entries = [...node.entries].map(([key, entry]) => {
    const path = [...at, key]
    const child = entry.node
    if (child.kind === 'section') {
      return [key, { ...entry, node: withEmptySections(child, root, path) }] as const
    }
    const isEmpty = child.kind === 'value' && child.value === null
    const isSection = isEmpty && (keysOfSection(path, root) !== undefined || isMap(path, root))
    return [key, isSection ? { ...entry, node: { ...emptySection(), origin: child.origin } } : entry] as const
  })
  return { ...node, entries: new Map(entries) }
}

/** What can be taken out of the tree for a problem at `path`: what is missing makes what it is missing in faulty. */
function writtenPart(root: Section, path: readonly PropertyKey[]): readonly PropertyKey[] {
  let length = path.length
  while (length > 0 && !nodeAt(root, path.slice(0, length))) length--
  return path.slice(0, length)
}

/** Issues with whole paths; of something of several forms, those of the form that fits best. */
function flat(issues: readonly Issue[], root: Section, at: readonly PropertyKey[] = []): Issue[] {
  return issues.flatMap((issue): Issue[] => {
    const path = [...at, ...issue.path]
    const isOfForms = issue.code === 'invalid_union' && !settingOf(path, root)
    const best = isOfForms ? issue.errors.toSorted((a, b) => a.length - b.length)[0] : undefined
    return best ? flat(best, root, path) : [{ ...issue, path }]
  })
}

/** Maps of a schema pass over this name in silence. */
const unusable = '__proto__'

function unusableNames(node: Section, root: Section, at: string[] = []): string[][] {
  return [...node.entries].flatMap(([key, entry]) => {
    const path = [...at, key]
    if (key === unusable && isMap(at, root)) return [path]
    return entry.node.kind === 'section' ? unusableNames(entry.node, root, path) : []
  })
}

export interface CheckedTree {
  /** Without the faulty parts. */
  root: Section
  problems: ConfigProblem[]
}

/** Checks what one source wrote, alone; every key may be missing, as another source may have it. */
export function checkTree(written: Section): CheckedTree {
  const root = withEmptySections(written, written)
  const problems = new Map<string, ConfigProblem>()
  let kept = root
  const add = (path: readonly PropertyKey[], problem: ConfigProblem) => {
    const isItem = nodeAt(root, path.slice(0, -1))?.kind === 'list'
    const faulty = settingOf(path, root)?.keys ?? path
    // All complaints about one setting are one mistake, but each item of a list is its own.
    const key = (isItem ? path : faulty).map(String).join('\0')
    if (!problems.has(key)) problems.set(key, problem)
    kept = without(kept, writtenPart(root, faulty))
  }
  for (const path of unusableNames(root, root)) add(path, wrongName(root, path, 'another name'))

  const parsed = configFileSchema.safeParse(plainOf(root))
  for (const issue of flat(parsed.error?.issues ?? [], root)) {
    const path = issue.path
    if (isSecret(path)) {
      const secret = settingOf(path)?.keys ?? path
      add(secret, wrongValue(root, [...secret]))
    } else if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) add([...path, key], unknownKey(root, [...path.map(String), key]))
    } else if (issue.code === 'invalid_key') {
      add(path, wrongName(root, path.map(String), issue.issues[0]?.message ?? 'another name'))
    } else if (issue.code === 'invalid_union' && 'options' in issue) {
      add(
        path,
        wrongChoice(
          root,
          path,
          (issue.options as unknown[]).filter((each) => each !== undefined).map(String),
        ),
      )
    } else if (issue.code === 'custom' && isRule(issue.message, settingOf(path, root))) {
      add(path, problemAt(originAt(root, path), path, issue.message, ruleRemedy))
    } else {
      add(path, wrongValue(root, path))
    }
  }
  return { root: kept, problems: [...problems.values()] }
}

const ruleRemedy = 'change one of the values here so that they fit together'

/** Whether it is a rule over several values that spoke: what one value must be is said with what was found. */
const isRule = (message: string, setting: Setting | undefined) =>
  !/^(Invalid|Too|Unrecognized|Expected)\b/.test(message) && message !== setting?.expected

function wrongChoice(root: Section, path: PropertyKey[], choices: readonly string[]): ConfigProblem {
  const node = nodeAt(root, path)
  const value = node && plainOf(node)
  const meant = typeof value === 'string' ? nearest(value, choices) : undefined
  return problemAt(
    originAt(root, path),
    path,
    `found ${wordsFor(value)}, expected one of ${listed(choices)}`,
    meant ? `did you mean "${meant}"?` : `write one of these words, such as ${choices[0] ?? ''}`,
  )
}

/**
 * As much of `root` as the schema takes: faulty parts are left out, and then what is not complete without them, such as
 * a release without its command.
 */
export function soundPart(root: Section): Section {
  let kept = root
  for (;;) {
    const parsed = configFileSchema.safeParse(plainOf(kept))
    if (parsed.success) return kept
    const before = kept
    for (const issue of flat(parsed.error.issues, kept)) {
      const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined]
      for (const key of keys)
        kept = without(kept, writtenPart(kept, key === undefined ? issue.path : [...issue.path, key]))
    }
    if (kept === before) return emptySection()
  }
}
