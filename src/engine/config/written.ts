import * as z from 'zod'
import { percentEncoded, requestPathWords, webAddressWords, wordsOf } from '../../contract/index.ts'
import { durationText, sizeText } from './units.ts'
import {
  duration,
  facts,
  proportion,
  settingFacts,
  share,
  size,
  weight,
  type SettingFacts,
} from './values.ts'

/**
 * The form in which a person writes what the contract holds in base units: `holdMs: 30000` is `hold: 30s`,
 * `memoryLimitBytes` is `memoryLimit: 200MB`, ratios and weights may be percentages. Derived from the contract's own
 * schemas, so that a new field of the contract can be configured without another line here.
 */

type Type = z.core.$ZodType
/** Words for a person, by the key of the contract, or by `section.key` where a key means something else elsewhere. */
export type Words = Readonly<Record<string, string>>

interface Unwrapped {
  inner: Type
  isOptional: boolean
  isNullable: boolean
  /** In base units; undefined when there is none. */
  fallback: unknown
}

const unwrapped = new WeakMap<Type, Unwrapped>()

function unwrap(type: Type): Unwrapped {
  const known = unwrapped.get(type) ?? unwrapAnew(type)
  unwrapped.set(type, known)
  return known
}

function unwrapAnew(type: Type): Unwrapped {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault)
    return { ...unwrap(type.unwrap()), fallback: type.def.defaultValue }
  if (type instanceof z.ZodOptional) return { ...unwrap(type.unwrap()), isOptional: true }
  if (type instanceof z.ZodNullable) return { ...unwrap(type.unwrap()), isNullable: true }
  return { inner: type, isOptional: false, isNullable: false, fallback: undefined }
}

const isNumber = (type: Type): type is z.ZodNumber => unwrap(type).inner instanceof z.ZodNumber

/** The key as written for one of the contract. */
function writtenKey(key: string, type: Type): string {
  return isNumber(type) ? key.replace(/(Ms|Bytes)$/, '') : key
}

const longestMs = 10 * 365 * 86_400_000
const largestBytes = 1e15

function numberForm(key: string, type: z.ZodNumber): Type {
  const least = type.minValue ?? 0
  const most = type.maxValue ?? Infinity
  if (key.endsWith('Ms'))
    return duration({
      least: durationText(Math.max(least, 0)),
      most: durationText(Math.min(most, longestMs)),
    })
  if (key.endsWith('Bytes'))
    return size({ least: sizeText(Math.max(least, 0)), most: sizeText(Math.min(most, largestBytes)) })
  if (key.endsWith('Ratio') && most === 1) return share()
  if (key.endsWith('Regression')) return proportion()
  if (key === 'weight') return weight()
  const whole = type.format === 'safeint'
  const isFromLeast = Number.isFinite(least) && least > Number.MIN_SAFE_INTEGER
  const isToMost = Number.isFinite(most) && most < Number.MAX_SAFE_INTEGER
  const range =
    isFromLeast && isToMost ? ` from ${least} to ${most}` : isFromLeast ? ` of at least ${least}` : ''
  return known(type, facts(`a ${whole ? 'whole ' : ''}number${range}`, { reads: 'number' }))
}

/** What a text must be, in the words of its own rules. */
function textWords({ def }: z.ZodString, fallback: string): string {
  for (const check of def.checks ?? []) {
    const { error, prefix } = check._zod.def as object as {
      error?: (issue: object) => unknown
      prefix?: string
    }
    const words = error?.({})
    if (typeof words === 'string') return words
    if (prefix !== undefined) return `a string that starts with ${prefix}`
  }
  return fallback
}

function known<T extends Type>(type: T, fact: SettingFacts): T {
  settingFacts.add(type as never, fact)
  return type
}

const paths: Readonly<Record<string, string>> = {
  cwd: 'a directory',
  caFile: 'a file',
  passwordFile: 'a file',
  urlFile: 'a file',
}

function textForm(key: string, type: z.ZodString): Type {
  const where = paths[key]
  const words = textWords(type, 'a string')
  // A schema may stand at several keys: what is known of it is known of this one.
  return where
    ? known(type.clone(), facts(`the path of ${where}`, { role: 'path' }))
    : known(
        type.clone(),
        facts(words, {
          suggest: suggestions[words] ?? noSuggestion,
          isNeverNull: key === 'env' || key === 'parameters',
        }),
      )
}

const noSuggestion = () => ''

/** How to put a text right, by what it must be. */
const suggestions: Readonly<Record<string, SettingFacts['suggest']>> = {
  [requestPathWords]: (found) =>
    typeof found === 'string' && found.startsWith('/')
      ? `percent-encode what a request cannot hold: ${percentEncoded(found)}`
      : '',
}

const isCommand = (key: string) => key === 'command' || key === 'argv'

/** A word as an item of a list in YAML: in quotes where it could be read as something else. */
const itemText = (word: string) =>
  /^(--?)?[a-z./][\w./=@+-]*$/i.test(word) && !/^(true|false|null|yes|no|on|off)$/i.test(word)
    ? word
    : JSON.stringify(word)

/** How a list of texts is written, with the words that stand there if there are any. */
function listRemedy(found: unknown, key: string): string {
  const words = typeof found === 'string' ? wordsOf(found) : []
  const example = isCommand(key) ? ['node', 'server.js'] : ['first', 'second']
  return `write a list: ${key}: [${(words.length > 0 ? words : example).map(itemText).join(', ')}]`
}

function isOfSections(type: Type): boolean {
  const { inner } = unwrap(type)
  return inner instanceof z.ZodObject || (inner instanceof z.ZodUnion && inner.options.some(isOfSections))
}

function innerForm(key: string, type: Type, words: Words): Type {
  if (type instanceof z.ZodObject) return sectionForm(type, words, key)
  if (type instanceof z.ZodDiscriminatedUnion) {
    const options = type.options.map((option) => innerForm(key, option, words))
    const union = z.discriminatedUnion(type.def.discriminator, options as never)
    return known(union, facts(`a section with a ${type.def.discriminator}`, { reads: 'none', isOpen: true }))
  }
  if (type instanceof z.ZodUnion) {
    const union = z.union(type.options.map((option) => innerForm(key, option, words)) as never)
    return known(
      union,
      isOfSections(type)
        ? facts('a section', { reads: 'none', isOpen: true })
        : facts('a string, a number, true or false', { reads: 'none' }),
    )
  }
  if (type instanceof z.ZodArray) {
    const item = typeForm(key, type.element, words)
    const list = z.array(item as z.ZodType)
    // Rules over several items are in the contract's own words: see heldTo.
    const lengths = (type.def.checks ?? []).filter(({ _zod }) => _zod.def.check.endsWith('_length'))
    const checked = lengths.length > 0 ? list.check(...(lengths as z.core.$ZodCheck<unknown[]>[])) : list
    const isText = unwrap(type.element).inner instanceof z.ZodString
    return known(
      checked,
      facts(isText ? 'a list of strings' : 'a list', {
        reads: isText ? 'list' : 'none',
        isOpen: true,
        suggest: (found, at) => (isText ? listRemedy(found, at) : `write a list: each item begins with "- "`),
      }),
    )
  }
  if (type instanceof z.ZodRecord) {
    const map = z.record(type.keyType as z.ZodString, typeForm(key, type.valueType, words) as z.ZodType)
    return known(map, facts('a section of names and strings', { reads: 'none', isOpen: true }))
  }
  if (type instanceof z.ZodEnum) {
    const choices = type.options.map(String)
    return known(type, facts(`one of ${choices.join(', ')}`, { choices }))
  }
  if (type instanceof z.ZodLiteral) {
    const choices = [...type.values].map(String)
    return known(type, facts(`the word ${choices.join(', ')}`, { choices }))
  }
  if (type instanceof z.ZodBoolean) return known(type, facts('true or false', { reads: 'boolean' }))
  if (type instanceof z.ZodNumber) return numberForm(key, type)
  if (type instanceof z.ZodString) return textForm(key, type)
  if (type instanceof z.ZodURL) return known(type, facts(webAddressWords))
  throw new Error(`${key} has no written form`)
}

function writtenFallback(key: string, type: Type, fallback: unknown): unknown {
  if (typeof fallback !== 'number' || !isNumber(type)) return fallback
  return key.endsWith('Ms') ? durationText(fallback) : key.endsWith('Bytes') ? sizeText(fallback) : fallback
}

function typeForm(key: string, type: Type, words: Words, section = ''): Type {
  const { inner, isOptional, isNullable, fallback } = unwrap(type)
  let form = innerForm(key, inner, words) as z.ZodType
  if (isNullable) {
    const fact = settingFacts.get(form as never)
    form = form.nullable()
    if (fact) known(form, { ...fact, expected: `${fact.expected}, or null` })
  }
  if (fallback !== undefined) form = form.prefault(writtenFallback(key, type, fallback) as never)
  else if (isOptional) form = form.optional()
  const description = words[`${section}.${key}`] ?? words[key]
  return description ? form.describe(description) : form
}

/** The written form of a section of the contract. */
export function sectionForm(type: z.ZodObject, words: Words = {}, section = ''): z.ZodObject {
  const shape = Object.entries(type.shape as Record<string, Type>).map(([key, member]) => [
    writtenKey(key, member),
    typeForm(key, member, words, section),
  ])
  return z.strictObject(Object.fromEntries(shape) as Record<string, z.ZodType>)
}

/** The written form of a list of the contract. */
export const listForm = (type: Type, words: Words = {}): z.ZodType => typeForm('', type, words) as z.ZodType

/** Which of several sections is meant by what stands there. */
export function optionOf(type: z.ZodUnion, value: unknown, keyOf = writtenKey): Type | undefined {
  const options = type.options.filter((option): option is z.ZodObject => option instanceof z.ZodObject)
  if (typeof value !== 'object' || value === null) return undefined
  const keys = Object.keys(value)
  const fit = (option: z.ZodObject) => {
    const shape = option.shape as Record<string, Type>
    const isExcluded = Object.entries(shape).some(([key, member]) => {
      const { inner, isOptional, fallback } = unwrap(member)
      const held = (value as Record<string, unknown>)[key]
      const isLeftOut = held === undefined && (isOptional || fallback !== undefined)
      return inner instanceof z.ZodLiteral && !isLeftOut && !inner.values.has(held as never)
    })
    const names = Object.entries(shape).map(([key, member]) => keyOf(key, member))
    return isExcluded ? -1 : keys.filter((key) => names.includes(key)).length
  }
  const best = options.reduce<{ option?: z.ZodObject; score: number }>(
    (found, option) => (fit(option) > found.score ? { option, score: fit(option) } : found),
    { score: -1 },
  )
  return best.option
}

/** A parsed written value with the keys of the contract. */
export function contractValue(type: Type, value: unknown): unknown {
  const { inner } = unwrap(type)
  if (typeof value !== 'object' || value === null) return value
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map((item) => contractValue(inner.element, item))
  if (inner instanceof z.ZodRecord)
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, contractValue(inner.valueType, each)]),
    )
  if (inner instanceof z.ZodUnion) {
    const option = optionOf(inner, value)
    return option ? contractValue(option, value) : value
  }
  if (!(inner instanceof z.ZodObject)) return value
  const written = value as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(inner.shape as Record<string, Type>).flatMap(([key, member]) => {
      const there = written[writtenKey(key, member)]
      return there === undefined ? [] : [[key, contractValue(member, there)]]
    }),
  )
}

/** What a person would write for a value of the contract. */
export function writtenValue(type: Type, value: unknown, key = ''): unknown {
  const { inner } = unwrap(type)
  if (typeof value !== 'object' || value === null) return writtenFallback(key, type, value)
  if (inner instanceof z.ZodArray && Array.isArray(value))
    return value.map((item) => writtenValue(inner.element, item))
  const object = inner instanceof z.ZodUnion ? optionOf(inner, value, (each) => each) : inner
  if (!(object instanceof z.ZodObject)) return value
  const held = value as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(object.shape as Record<string, Type>).flatMap(([each, member]) =>
      held[each] === undefined ? [] : [[writtenKey(each, member), writtenValue(member, held[each], each)]],
    ),
  )
}

/** Where a path of the contract stands in what is written. */
const writtenPath = (path: readonly PropertyKey[]): PropertyKey[] =>
  path.map((key) => (typeof key === 'string' ? key.replace(/(Ms|Bytes)$/, '') : key))

/** `form` with the rules of the contract's `type` that are about more than one value. */
export function heldTo<T extends z.ZodType>(form: T, type: z.ZodType): T {
  return form.superRefine((value, context) => {
    const parsed = type.safeParse(contractValue(type, value))
    for (const { path, message } of parsed.error?.issues ?? [])
      context.addIssue({ code: 'custom', path: writtenPath(path), message })
  })
}
