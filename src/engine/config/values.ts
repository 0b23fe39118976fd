import * as z from 'zod'
import { processText } from '../../contract/index.ts'
import {
  durationPattern,
  parseDurationMs,
  parsePercent,
  parseSizeBytes,
  percentPattern,
  sizePattern,
} from './units.ts'

/** What is known of one setting beside its type. */
export interface SettingFacts {
  /** Ends the sentence "expected ...". */
  expected: string
  /** How the text of a variable or flag becomes a value; what does not fit stays text. `none`: only a file holds it. */
  reads: 'text' | 'number' | 'boolean' | 'list' | 'none'
  /** `path`: relative to the file that names it. `secret`: only a reference is written, and never shown. */
  role: 'plain' | 'path' | 'secret'
  /** Words to choose from, for "did you mean". */
  choices: readonly string[]
  /** A better way to write this wrong value under its key, whose default is `fallback`, or an empty string. */
  suggest: (found: unknown, key: string, fallback: unknown) => string
  /** It has parts that have facts of their own, such as the steps of a plan. */
  isOpen?: boolean
  /** The word null is a mistake here, not a text. */
  isNeverNull?: boolean
  /** A change waits for a restart; without it, it takes effect at once. */
  needsRestart?: boolean
}

/** The facts of each leaf of the schema, by its innermost zod type. */
export const settingFacts = z.registry<SettingFacts>()

export const facts = (expected: string, more: Partial<SettingFacts> = {}): SettingFacts => ({
  expected,
  reads: 'text',
  role: 'plain',
  choices: [],
  suggest: () => '',
  ...more,
})

/** The same setting, a change of which waits for a restart. */
export function afterRestart<T extends z.ZodType>(type: T): T {
  const known = settingFacts.get(type as never)
  if (!known) throw new Error('only a setting can need a restart')
  settingFacts.add(type as never, { ...known, needsRestart: true })
  return type
}

export interface Range {
  /** As a person would write it, e.g. `1s`. */
  least: string
  most: string
}

const within = (value: number | undefined, range: Range, parse: (text: string) => number | undefined) =>
  value !== undefined && value >= (parse(range.least) ?? 0) && value <= (parse(range.most) ?? Infinity)

/**
 * A bare number with the unit that it most likely means: within the range, the one that comes nearest to the default.
 * Without a default it is the first of `units`, or the one for large numbers.
 */
const unitRemedy =
  (
    range: Range,
    parse: (text: string) => number | undefined,
    units: readonly string[],
    large: { from: number; unit: string },
  ): SettingFacts['suggest'] =>
  (found, _key, fallback) => {
    if (typeof found !== 'number') return ''
    const usual = typeof fallback === 'string' ? parse(fallback) : undefined
    const distance = (text: string) => (usual ? Math.abs(Math.log((parse(text) ?? 0) / usual)) : 0)
    const [meant] = [...(found >= large.from ? [large.unit] : []), ...units]
      .map((unit) => `${found}${unit}`)
      .filter((text) => within(parse(text), range, parse))
      .sort((one, other) => distance(one) - distance(other) || 0)
    return meant === undefined
      ? 'write a value in this range, with its unit'
      : `the unit is missing, as in ${meant}`
  }

/** A duration with its unit, read as milliseconds. */
export function duration(range: Range) {
  return z
    .string()
    .regex(new RegExp(durationPattern))
    .refine((text) => within(parseDurationMs(text), range, parseDurationMs))
    .transform((text) => Math.round(parseDurationMs(text) ?? 0))
    .register(
      settingFacts,
      facts(`a duration with its unit from ${range.least} to ${range.most}, such as 30s, 12h or 7d`, {
        suggest: unitRemedy(range, parseDurationMs, ['s', 'ms', 'm', 'h', 'd', 'y'], {
          from: 1000,
          unit: 'ms',
        }),
      }),
    )
}

/** A size with its unit, read as bytes. */
export function size(range: Range) {
  return z
    .string()
    .regex(new RegExp(sizePattern))
    .refine((text) => within(parseSizeBytes(text), range, parseSizeBytes))
    .transform((text) => Math.round(parseSizeBytes(text) ?? 0))
    .register(
      settingFacts,
      facts(`a size with its unit from ${range.least} to ${range.most}, such as 100MB or 1GiB`, {
        suggest: unitRemedy(range, parseSizeBytes, ['MB', 'kB', 'GB', 'B', 'TB'], {
          from: 10_000,
          unit: 'B',
        }),
      }),
    )
}

/** A share of a whole, `0.8` or `80%`, read as a ratio. */
export function share() {
  return z
    .union([z.number().min(0).max(1), z.string().regex(new RegExp(percentPattern))])
    .transform((written) => (typeof written === 'number' ? written : (parsePercent(written) ?? NaN)))
    .refine((ratio) => ratio >= 0 && ratio <= 1)
    .register(
      settingFacts,
      facts('a share from 0 to 1, or a percentage such as 80%', {
        reads: 'number',
        suggest: (found) =>
          typeof found === 'number' && found > 1 && found <= 100 ? `write ${found}% or ${found / 100}` : '',
      }),
    )
}

/** A proportion that may be above the whole, `0.2` or `20%`, read as a ratio. */
export function proportion() {
  return z
    .union([z.number().min(0), z.string().regex(new RegExp(percentPattern))])
    .transform((written) => (typeof written === 'number' ? written : (parsePercent(written) ?? NaN)))
    .register(settingFacts, facts('a ratio of 0 or more, or a percentage such as 20%', { reads: 'number' }))
}

/** A share of traffic in percent, `10` or `10%`, read as percent. */
export function weight() {
  return z
    .union([z.number().min(0).max(100), z.string().regex(new RegExp(percentPattern))])
    .transform((written) => (typeof written === 'number' ? written : Number.parseFloat(written)))
    .refine((percent) => percent <= 100)
    .register(settingFacts, facts('a percentage from 0 to 100, such as 10%', { reads: 'number' }))
}

/** A TCP port; 0 takes a free one. */
export function port() {
  return z
    .int()
    .min(0)
    .max(65535)
    .register(settingFacts, facts('a port: a whole number from 0 to 65535', { reads: 'number' }))
}

/** A health score, 0 to 100. */
export function score() {
  return z
    .number()
    .min(0)
    .max(100)
    .register(settingFacts, facts('a score from 0 to 100', { reads: 'number' }))
}

/** A constant whole number, for versions. */
export function constant(value: number) {
  return z.literal(value).register(settingFacts, facts(`the number ${value}`, { reads: 'number' }))
}

export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words).register(settingFacts, facts(`one of ${words.join(', ')}`, { choices: words }))
}

/** A path of a file or directory; `~/` is the user's home, a relative one starts at the file that names it. */
export function path(what: string) {
  return processText(4096)
    .min(1)
    .register(settingFacts, facts(`the path of ${what}`, { role: 'path' }))
}

/** An address only this machine can reach: what there is no TLS for must not be served to others. */
export function loopbackAddress() {
  return z.enum(['127.0.0.1', '::1', 'localhost']).register(
    settingFacts,
    facts('a loopback address: 127.0.0.1, ::1 or localhost', {
      suggest: () =>
        'other addresses need TLS, which is not supported yet; use a tunnel or a proxy on this machine',
    }),
  )
}

/** Web origins, scheme and host without a path. */
export function origins() {
  const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text
  return z
    .array(
      z
        .string()
        .max(300)
        .refine((text) => /^https?:/.test(text) && isOrigin(text)),
    )
    .max(100)
    .register(
      settingFacts,
      facts('web origins in a list, each such as https://ops.example.org', {
        reads: 'list',
        suggest: (found) =>
          typeof found === 'string' && /^https?:/.test(found) && URL.canParse(found)
            ? `write ${new URL(found).origin}`
            : '',
      }),
    )
}

/** Where a secret is kept. The secret itself never stands in a config. */
export type SecretReference = { env: string } | { file: string }

export function secret() {
  return z
    .union([
      z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
      z.strictObject({ file: processText(4096).min(1) }),
    ])
    .register(
      settingFacts,
      facts('a reference to where the secret is kept: {env: NAME} or {file: path}', { role: 'secret' }),
    )
}
