import * as z from 'zod'
import { configFileSchema } from './schema.ts'
import { settingFacts, type SettingFacts } from './values.ts'

/** One leaf of the schema. */
export interface Setting extends SettingFacts {
  /** Keys joined by dots: `server.port`. */
  path: string
  description: string
  /** As it would be written; undefined when there is none. */
  fallback: unknown
}

interface Found {
  settings: Map<string, Setting>
  /** The keys of each section, by its path; the whole file is the empty path. */
  sections: Map<string, readonly string[]>
}

interface Inherited {
  description: string
  fallback: unknown
}

const nothing: Inherited = { description: '', fallback: undefined }

const join = (path: string, key: string) => (path === '' ? key : `${path}.${key}`)

function describe(type: z.core.$ZodType, path: string, inherited: Inherited, found: Found): void {
  const description = z.globalRegistry.get(type)?.description ?? inherited.description
  const facts = settingFacts.get(type)
  if (facts) {
    found.settings.set(path, { ...facts, path, description, fallback: inherited.fallback })
  } else if (type instanceof z.ZodObject) {
    const shape = type.shape as Record<string, z.core.$ZodType>
    found.sections.set(path, Object.keys(shape))
    for (const [key, member] of Object.entries(shape)) describe(member, join(path, key), nothing, found)
  } else if (type instanceof z.ZodPrefault) {
    describe(type.unwrap(), path, { description, fallback: type.def.defaultValue }, found)
  } else if (type instanceof z.ZodOptional) {
    describe(type.unwrap(), path, { ...inherited, description }, found)
  } else {
    throw new Error(`the setting ${path} has no facts`)
  }
}

const found: Found = { settings: new Map(), sections: new Map() }
describe(configFileSchema, '', nothing, found)

const overridesRoot = 'environments.'

/** Every setting of the running config; overrides of environments are the same ones again, the version is the file's. */
export const settings: readonly Setting[] = [...found.settings.values()].filter(
  ({ path }) => path !== 'version' && !path.startsWith(overridesRoot),
)

/** The setting a path belongs to, itself or the leaf above it (an item of a list, a part of a reference). */
export function settingOf(path: readonly PropertyKey[]): Setting | undefined {
  for (let length = path.length; length > 0; length--) {
    const setting = found.settings.get(path.slice(0, length).map(String).join('.'))
    if (setting) return setting
  }
  return undefined
}

/** The keys a section takes, or undefined when there is no such section. */
export function keysOfSection(path: readonly PropertyKey[]): readonly string[] | undefined {
  return found.sections.get(path.map(String).join('.'))
}

/** True for a secret, for what is below it, and inside the overrides of environments too. */
export const isSecret = (path: readonly PropertyKey[]) => settingOf(path)?.role === 'secret'
