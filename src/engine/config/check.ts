import type { ConfigProblem } from '../../contract/index.ts'
import { nearest } from './nearest.ts'
import { configFileSchema } from './schema.ts'
import { isSecret, keysOfSection, settingOf, settings } from './settings.ts'
import { keyOriginAt, nodeAt, originAt, plainOf, without, type Origin, type Section } from './tree.ts'

const longestShown = 60

/** Names a value in a message, so that a person finds it again. */
export function wordsFor(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') {
    return `the text ${JSON.stringify(value.length > longestShown ? `${value.slice(0, longestShown)}…` : value)}`
  }
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`
  if (typeof value === 'boolean') return `the word ${value}`
  return Array.isArray(value) ? 'a list' : 'a section'
}

/** A problem at an origin; for a variable or flag `file` is its name and `line` is 0. */
export function problemAt(origin: Origin, path: string, message: string, hint: string): ConfigProblem {
  if (origin.kind === 'file') {
    return { file: origin.file, line: origin.line, column: origin.column, path, message, hint }
  }
  return { file: origin.kind === 'default' ? '' : origin.name, line: 0, column: 0, path, message, hint }
}

const listed = (keys: readonly string[]) => keys.join(', ')

function unknownKey(root: Section, path: string[]): ConfigProblem {
  const key = path.at(-1) ?? ''
  const keys = keysOfSection(path.slice(0, -1)) ?? []
  const meant = nearest(key, keys)
  const elsewhere = settings.find((setting) => setting.path.split('.').at(-1) === key)?.path
  const hint = meant ? `did you mean "${meant}"?` : elsewhere ? `it belongs further in: ${elsewhere}` : ''
  const message = `unknown key ${JSON.stringify(key.slice(0, longestShown))}, expected ${listed(keys)}`
  return problemAt(keyOriginAt(root, path), path.join('.'), message, hint)
}

function wrongValue(root: Section, path: PropertyKey[]): ConfigProblem {
  const setting = settingOf(path)
  const name = path.map(String).join('.')
  const node = nodeAt(root, path)
  const value = node ? plainOf(node) : undefined
  const origin = originAt(root, path)
  if (!setting) {
    const message = `found ${wordsFor(value)}, expected a section with ${listed(keysOfSection(path) ?? [])}`
    return problemAt(origin, name, message, '')
  }
  if (setting.role === 'secret') {
    const hint = 'a secret never stands in a config; nothing of it is shown here'
    return problemAt(origin, name, `found no reference, expected ${setting.expected}`, hint)
  }
  const meant = typeof value === 'string' ? nearest(value, setting.choices) : undefined
  const hint = meant ? `did you mean "${meant}"?` : setting.suggest(value)
  return problemAt(origin, name, `found ${wordsFor(value)}, expected ${setting.expected}`, hint)
}

/** `server:` with all its keys commented out is an empty section, not a mistake. */
export function withoutEmptySections(root: Section, at: readonly string[] = []): Section {
  let kept = root
  for (const [key, { keyOrigin, node }] of root.entries) {
    const path = [...at, key]
    if (!keysOfSection(path)) continue
    if (node.kind === 'value' && node.value === null) kept = without(kept, [key])
    if (node.kind === 'section') {
      const entries = new Map(kept.entries)
      entries.set(key, { keyOrigin, node: withoutEmptySections(node, path) })
      kept = { ...kept, entries }
    }
  }
  return kept
}

/** The part of the tree a problem is about, to leave it out and look at the rest. */
function faultyPath(path: readonly PropertyKey[]): readonly PropertyKey[] {
  const setting = settingOf(path)
  return setting ? path.slice(0, setting.path.split('.').length) : path
}

export interface CheckedTree {
  /** Without the faulty parts. */
  root: Section
  problems: ConfigProblem[]
}

/** Checks what one source wrote, alone; every key may be missing, as another source may have it. */
export function checkTree(written: Section): CheckedTree {
  const root = withoutEmptySections(written)
  const parsed = configFileSchema.safeParse(plainOf(root))
  if (parsed.success) return { root, problems: [] }
  const problems = new Map<string, ConfigProblem>()
  let kept = root
  const add = (path: PropertyKey[], problem: ConfigProblem) => {
    const isItem = nodeAt(root, path.slice(0, -1))?.kind === 'list'
    const faulty = faultyPath(path)
    // All complaints about one setting are one mistake, but each item of a list is its own.
    const key = (isItem ? path : faulty).map(String).join('\0')
    if (!problems.has(key)) problems.set(key, problem)
    kept = without(kept, faulty)
  }
  for (const issue of parsed.error.issues) {
    const path = [...issue.path]
    if (issue.code === 'unrecognized_keys' && !isSecret(path)) {
      for (const key of issue.keys) add([...path, key], unknownKey(root, [...path.map(String), key]))
    } else {
      const leaf = isSecret(path) ? [...faultyPath(path)] : path
      add(leaf, wrongValue(root, leaf))
    }
  }
  return { root: kept, problems: [...problems.values()] }
}
