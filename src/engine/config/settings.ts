import * as z from 'zod'
import { pathText } from './paths.ts'
import { configFileSchema } from './schema.ts'
import type { ConfigNode, Section } from './tree.ts'
import { settingFacts, type SettingFacts } from './values.ts'
import { optionOf } from './written.ts'

/** One leaf of the schema. */
export interface Setting extends SettingFacts {
  keys: readonly string[]
  /** The keys as a person reads them, and as nothing else is called: `server.port`. */
  path: string
  description: string
  /** As it would be written; undefined when there is none. */
  fallback: unknown
}

type Type = z.core.$ZodType

interface Described {
  inner: Type
  description: string
  fallback: unknown
  facts: SettingFacts | undefined
}

const descriptions = new WeakMap<Type, Described>()

function described(type: Type): Described {
  const known = descriptions.get(type) ?? describedAnew(type)
  descriptions.set(type, known)
  return known
}

/** A type without what says that it may be missing, and what was said of it on the way. */
function describedAnew(type: Type): Described {
  let inner = type
  let description: string | undefined
  let fallback: unknown
  let facts: SettingFacts | undefined
  for (;;) {
    description ??= z.globalRegistry.get(inner)?.description
    facts ??= settingFacts.get(inner)
    if (inner instanceof z.ZodPrefault) fallback ??= inner.def.defaultValue
    else if (!(inner instanceof z.ZodOptional || inner instanceof z.ZodNullable)) break
    inner = inner.unwrap()
  }
  return { inner, description: description ?? '', fallback, facts }
}

const shapeOf = (type: z.ZodObject) => type.shape as Record<string, Type>

/** What stands inside a type under a key, given what is written there; undefined where nothing can. */
function memberOf(type: Type, key: string, written: ConfigNode | undefined): Type | undefined {
  const { facts } = described(type)
  if (facts && !facts.isOpen) return undefined
  const object = sectionOf(type, written)
  if (object instanceof z.ZodObject)
    return Object.hasOwn(object.shape, key) ? shapeOf(object)[key] : undefined
  if (object instanceof z.ZodRecord) return object.valueType
  if (object instanceof z.ZodArray) return object.element
  return undefined
}

/**
 * The type itself, or which section of several is meant. Of several that are no setting as a whole, such as the platforms
 * of a service, the first one is meant where nothing says otherwise.
 */
function sectionOf(type: Type, written: ConfigNode | undefined): Type | undefined {
  const { inner, facts } = described(type)
  if (!(inner instanceof z.ZodUnion)) return inner
  return optionIn(inner, written) ?? (facts ? undefined : inner.options[0])
}

/** Which section of several a written one is meant to be. */
function optionIn(type: z.ZodUnion, written: ConfigNode | undefined): Type | undefined {
  if (written?.kind !== 'section') return undefined
  const values = [...written.entries].map(([key, { node }]) => [
    key,
    node.kind === 'value' ? node.value : null,
  ])
  return optionOf(type, Object.fromEntries(values), (key) => key)
}

interface Place {
  type: Type
  /** How many keys of the path lead to it. */
  length: number
  written: ConfigNode | undefined
}

/** The types along a path, from the whole file on, as far as the schema goes. */
function placesOn(path: readonly PropertyKey[], root: Section | undefined): Place[] {
  const places: Place[] = [{ type: configFileSchema, length: 0, written: root }]
  for (const [index, key] of path.entries()) {
    const { type, written } = places[index] as Place
    const member = memberOf(type, String(key), written)
    if (!member) break
    const node =
      written?.kind === 'section'
        ? written.entries.get(String(key))?.node
        : written?.kind === 'list'
          ? written.items[Number(key)]
          : undefined
    places.push({ type: member, length: index + 1, written: node })
  }
  return places
}

/** The keys of a section, or of the section that something of several forms is meant to be. */
function keysOf({ type, written }: Place): readonly string[] | undefined {
  const { facts } = described(type)
  if (facts && !facts.isOpen) return undefined
  const object = sectionOf(type, written)
  return object instanceof z.ZodObject ? Object.keys(object.shape) : undefined
}

/** The keys a section takes, or undefined when there is no such section. `root` is what is written. */
export function keysOfSection(path: readonly PropertyKey[], root?: Section): readonly string[] | undefined {
  const place = placesOn(path, root)[path.length]
  return place && keysOf(place)
}

/** Whether a path leads to a map from names of a person's own. */
export function isMap(path: readonly PropertyKey[], root?: Section): boolean {
  const place = placesOn(path, root)[path.length]
  return place !== undefined && described(place.type).inner instanceof z.ZodRecord
}

const settingAt = (type: Type, path: readonly PropertyKey[]): Setting | undefined => {
  const { facts, description, fallback } = described(type)
  return facts && { ...facts, keys: path.map(String), path: pathText(path), description, fallback }
}

/**
 * The setting a path belongs to, itself or the leaf above it (an item of a list, a part of a reference), as the deepest
 * part that something is known of; undefined for a section. `root` is what is written.
 */
export function settingOf(path: readonly PropertyKey[], root?: Section): Setting | undefined {
  const places = placesOn(path, root)
  const last = places.at(-1) as Place
  if (last.length === path.length && keysOf(last)) return undefined
  for (const { type, length } of places.reverse()) {
    const setting = settingAt(type, path.slice(0, length))
    if (setting) return setting
  }
  return undefined
}

/** True for a secret, for what is below it, and inside the overrides of environments too. */
export const isSecret = (path: readonly PropertyKey[]) => settingOf(path)?.role === 'secret'

/** What is the file's own and not of the running config: overrides are the same settings once more. */
const ofTheFile: readonly string[] = ['version', 'environments']

function leaves(type: Type, path: readonly string[], written: ConfigNode | undefined): Setting[] {
  const setting = settingAt(type, path)
  if (setting) return [setting]
  const inner = sectionOf(type, written)
  const entries = written?.kind === 'section' ? written.entries : undefined
  const keys =
    inner instanceof z.ZodObject
      ? Object.keys(inner.shape)
      : inner instanceof z.ZodRecord
        ? [...(entries?.keys() ?? [])]
        : undefined
  if (!keys) throw new Error(`the setting ${pathText(path)} has no facts`)
  return keys.flatMap((key) => {
    if (path.length === 0 && ofTheFile.includes(key)) return []
    const member = memberOf(type, key, written)
    return member ? leaves(member, [...path, key], entries?.get(key)?.node) : []
  })
}

/** Every setting that holds when `root` is written: the ones every config has, and those of each service in it. */
export const settingsIn = (root: Section): Setting[] => leaves(configFileSchema, [], root)

/** The settings that every config has. */
export const settings: readonly Setting[] = leaves(configFileSchema, [], undefined)

/** Stands in a path for a name that a person chooses, such as that of a release. */
const anyName = 'NAME'

/** How many sections deep a key is looked for. */
const deepest = 4

/** The shortest path from a section down to a key. */
function pathDown({ type, written }: Place, key: string): string[] | undefined {
  let level = [{ type, written, path: [] as string[] }]
  for (let depth = 0; depth < deepest; depth++) {
    level = level.flatMap(({ type, written, path }) => {
      const section = sectionOf(type, written)
      const names =
        section instanceof z.ZodObject
          ? Object.keys(section.shape)
          : section instanceof z.ZodRecord
            ? [anyName]
            : []
      const entries = written?.kind === 'section' ? written.entries : undefined
      return names.flatMap((name) => {
        const member = memberOf(type, name, written)
        return member ? [{ type: member, written: entries?.get(name)?.node, path: [...path, name] }] : []
      })
    })
    const found = level.find(({ path }) => path.at(-1) === key)
    if (found) return found.path
  }
  return undefined
}

/**
 * Where a key belongs that the section at `path` does not take: below that section, else below the nearest section
 * around it, else anywhere in the file. Undefined when no section takes it.
 */
export function placeOfKey(path: readonly string[], key: string, root: Section): string | undefined {
  const places = placesOn(path, root)
  for (let length = path.length; length > 0; length--) {
    const place = places[length]
    const found = place && keysOf(place) && pathDown(place, key)
    if (found) return pathText([...path.slice(0, length), ...found])
  }
  return settings.find((setting) => setting.keys.at(-1) === key)?.path
}

const isText = ({ inner }: Described) => inner instanceof z.ZodString || inner instanceof z.ZodURL

/**
 * `root` with the text as written wherever the schema takes text alone: `note: 1.10` is the text 1.10. The items of a
 * list stay what they are, as a word of a command that looks like a number deserves its quotes.
 */
export function withTextsAsWritten(root: Section): Section {
  const walk = (node: ConfigNode, type: Type): ConfigNode => {
    if (node.kind === 'value') {
      const known = described(type)
      if (node.source === undefined || !isText(known)) return node
      // A path or a variable that is called null is hardly ever meant.
      const isNeverNull = known.facts?.role === 'path' || known.facts?.isNeverNull === true
      const isTaken = node.value !== null || (/^null$/i.test(node.source) && !isNeverNull)
      return isTaken ? { kind: 'value', value: node.source, origin: node.origin } : node
    }
    const inside = (child: ConfigNode, key: string) => {
      const member = memberOf(type, key, node)
      return member ? walk(child, member) : child
    }
    if (node.kind === 'list') {
      const items = node.items.map((item, index) => (item.kind === 'value' ? item : inside(item, `${index}`)))
      return { ...node, items }
    }
    const entries = [...node.entries].map(
      ([key, entry]) => [key, { ...entry, node: inside(entry.node, key) }] as const,
    )
    return { ...node, entries: new Map(entries) }
  }
  const changed = walk(root, configFileSchema)
  return changed.kind === 'section' ? changed : root
}

/** `root` with the text of each path replaced; a path is also what keeps a secret. */
export function mapPaths(root: Section, change: (text: string, node: ConfigNode) => string): Section {
  const walk = (node: ConfigNode, type: Type | undefined, isPath: boolean): ConfigNode => {
    if (!type && !isPath) return node
    const role = type && described(type).facts?.role
    if (node.kind === 'value')
      return typeof node.value === 'string' && (isPath || role === 'path')
        ? { ...node, value: change(node.value, node) }
        : node
    const inside = (child: ConfigNode, key: string) =>
      walk(child, type && memberOf(type, key, node), role === 'secret' && key === 'file')
    if (node.kind === 'list')
      return { ...node, items: node.items.map((item, index) => inside(item, `${index}`)) }
    const entries = [...node.entries].map(
      ([key, entry]) => [key, { ...entry, node: inside(entry.node, key) }] as const,
    )
    return { ...node, entries: new Map(entries) }
  }
  const changed = walk(root, configFileSchema, false)
  return changed.kind === 'section' ? changed : root
}
