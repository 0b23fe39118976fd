import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseAllDocuments,
  type Alias,
  type Node,
  type Scalar,
} from 'yaml'
import type { ConfigProblem } from '../../contract/index.ts'
import { emptySection, type ConfigNode, type ValueOrigin, type Section } from './tree.ts'

export interface ParsedText {
  root: Section
  problems: ConfigProblem[]
}

/** Far beyond any config a person writes, and well below what makes the parser slow or exhausts its stack. */
const most = { tokens: 50_000, depth: 50, nodes: 20_000 }

/** True when the text is too nested or too long to be handed to the parser. Linear in the text. */
function isExcessive(text: string): boolean {
  let tokens = 0
  let depth = 0
  // Blocks that begin in one line, as in `- - - x`, nest as well.
  let inLine = 0
  for (const token of new Lexer().lex(text)) {
    tokens++
    if (token === '[' || token === '{') depth++
    if (token === ']' || token === '}') depth--
    if (token === '-' || token === '?') inLine++
    if (token.startsWith('\n') || token.startsWith('\r')) inLine = 0
    if (tokens > most.tokens || depth > most.depth || inLine > most.depth) return true
  }
  return false
}

const sentence = (text: string) => text.charAt(0).toLowerCase() + text.slice(1).replace(/\s+/g, ' ')

/** The text of a scalar as written, so that 1.10 stays 1.10; a quoted one without its quotes. */
const sourceOf = (scalar: Scalar): string =>
  typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '')

const tagRemedy = 'remove the tag; a string that starts with ! needs quotes'

/** What helps against a mistake of the notation. */
function syntaxRemedy(code: string): string {
  if (code === 'TAB_AS_INDENT') return 'indent with spaces'
  if (code === 'TAG_RESOLVE_FAILED') return tagRemedy
  return 'check indentation, quotes and brackets here and in the line before'
}

/** Walks a parsed document into a tree with origins, collecting what a config must not hold. */
class Reader {
  readonly problems: ConfigProblem[] = []
  readonly #file: string
  readonly #lines: LineCounter
  #nodeCount = 0
  #isExhausted = false
  readonly #anchors = new Map<string, Node>()
  /** Where the alias that is being followed stands. */
  #via: Node['range'] = null

  constructor(file: string, lines: LineCounter) {
    this.#file = file
    this.#lines = lines
  }

  origin(
    range: readonly [number, number, ...number[]] | null | undefined,
  ): Extract<ValueOrigin, { kind: 'file' }> {
    const [start, end] = range ?? [0, 0]
    const { line, col } = this.#lines.linePos(start)
    return {
      kind: 'file',
      file: this.#file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      length: end - start,
    }
  }

  report(
    range: readonly [number, number, ...number[]] | null | undefined,
    message: string,
    hint: string,
  ): void {
    const { file, line, column } = this.origin(range)
    this.problems.push({ file, line, column, path: '', message, hint })
  }

  node(
    node: Node | null | undefined,
    fallback: ValueOrigin,
    aliases: readonly string[] = [],
    depth = 0,
  ): ConfigNode {
    const empty: ConfigNode = { kind: 'value', value: null, origin: fallback }
    if (!node) return empty
    if (++this.#nodeCount > most.nodes || depth > most.depth) {
      if (!this.#isExhausted) {
        const [message, hint] = this.#via
          ? ['too large or too deeply nested after aliases are expanded', 'use fewer aliases']
          : ['too large or too deeply nested to be a configuration', 'is this the right file?']
        this.report(this.#via ?? node.range, message, hint)
      }
      this.#isExhausted = true
      return empty
    }
    const origin = this.origin(node.range)
    if (isAlias(node)) return this.#follow(node, origin, aliases, depth)
    if (node.anchor && aliases.length === 0) this.#anchors.set(node.anchor, node)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.node(item as Node, origin, aliases, depth + 1))
      return { kind: 'list', items, origin }
    }
    if (isMap(node)) return this.#section(node.items, origin, aliases, depth)
    const value: unknown = isScalar(node) ? node.value : null
    const isPlain = ['string', 'number', 'boolean', 'bigint'].includes(typeof value)
    const source = isScalar(node) && typeof value !== 'string' ? sourceOf(node) : ''
    const kept = isPlain ? (value as string) : null
    // What a tag has made of a text is neither a value that a setting takes nor nothing.
    if (!isPlain && value !== null) {
      const tag = node.tag?.replace('tag:yaml.org,2002:', '!!') ?? ''
      this.report(node.range, `cannot read a value with the tag ${tag}`, tagRemedy)
    }
    return { kind: 'value', value: kept, origin, ...(source === '' ? {} : { source }) }
  }

  /** The node an alias stands for: the last one before it with that anchor. */
  #follow(alias: Alias, origin: ValueOrigin, aliases: readonly string[], depth: number): ConfigNode {
    const target = aliases.includes(alias.source) ? undefined : this.#anchors.get(alias.source)
    if (!target) {
      const message = `the alias *${alias.source} leads nowhere or to itself`
      this.report(this.#via ?? alias.range, message, `define &${alias.source} above it, or write the value`)
      return { kind: 'value', value: null, origin }
    }
    if (aliases.length === 0) this.#via = alias.range
    const node = this.node(target, origin, [...aliases, alias.source], depth + 1)
    if (aliases.length === 0) this.#via = null
    return node
  }

  #section(
    pairs: readonly { key: unknown; value: unknown }[],
    origin: ValueOrigin,
    aliases: readonly string[],
    depth: number,
  ): Section {
    const section: Section = { ...emptySection(), origin }
    for (const pair of pairs) {
      const key = pair.key as Node | null
      const name = isScalar(key) ? sourceOf(key) : ''
      if (!isScalar(key) || name === '') {
        this.report(key?.range, 'found a key that is not a string', 'write `key: value`')
        continue
      }
      const keyOrigin = this.origin(key.range)
      const first = section.entries.get(name)
      if (first) {
        const line = first.keyOrigin.kind === 'file' ? first.keyOrigin.line : 0
        this.report(key.range, `the key "${name}" appears twice`, `it is already on line ${line}; keep one`)
        continue
      }
      const node = this.node(pair.value as Node | null, keyOrigin, aliases, depth + 1)
      section.entries.set(name, { keyOrigin, node })
    }
    return section
  }
}

const jsonMessage = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : ''
  }
}

/** Where JSON.parse names only the token: the shortest start of the text that already has it, by halving. */
function offsetOfToken(text: string): number {
  let good = 0
  let bad = text.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (jsonMessage(text.slice(0, middle))?.startsWith('Unexpected token')) bad = middle
    else good = middle
  }
  return Math.max(bad - 1, 0)
}

/** JSON is read as the YAML it also is; what only YAML allows is then a mistake. */
function jsonMistake(text: string): { offset: number; message: string } | undefined {
  const message = jsonMessage(text)
  if (message === undefined) return undefined
  const position = /position (\d+)/.exec(message)?.[1]
  const isToken = message.startsWith('Unexpected token')
  const offset = position ? Number(position) : isToken ? offsetOfToken(text) : text.trimEnd().length
  return { offset, message: message.replace(/ in JSON.*$|, (\.\.\.)?".*$| \(line.*$/s, '') }
}

/**
 * Reads YAML or JSON text (`.json` files strictly) into a tree in which each key and value knows its line and column.
 * Always returns: syntax mistakes, twice-written keys, bombs and loops of aliases are problems. With problems the
 * tree holds what could still be read.
 */
export function parseConfigText(file: string, text: string): ParsedText {
  const lines = new LineCounter()
  const at = (message: string, hint = ''): ParsedText => ({
    root: emptySection(),
    problems: [{ file, line: 1, column: 1, path: '', message, hint }],
  })
  const isJson = /\.json$/i.test(file)
  if (isJson && text.trim() === '')
    return at('found an empty file, expected a JSON object', 'write {} at least')
  if (isExcessive(text))
    return at('the file is too large or too deeply nested to be a configuration', 'is this the right file?')

  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    // The parser's own search for doubles is quadratic; ours names both lines.
    uniqueKeys: false,
    logLevel: 'silent',
  })
  if ('empty' in documents) return { root: emptySection(), problems: [] }
  const [document, second] = documents
  if (!document) return { root: emptySection(), problems: [] }
  const reader = new Reader(file, lines)

  const reportedLines = new Set<number>()
  for (const error of [...documents.flatMap((each) => each.errors), ...document.warnings]) {
    const { line } = lines.linePos(error.pos[0])
    // One mistake makes others in its line, and what nests too deeply is told by the reader.
    if (reportedLines.has(line) || /call stack/i.test(error.message)) continue
    reportedLines.add(line)
    reader.report(error.pos, sentence(error.message), syntaxRemedy(error.code))
  }
  if (second) {
    const start = second.range?.[0] ?? 0
    reader.report([start, start], 'found a second document, expected one', 'remove everything from `---` on')
  }
  if (isJson && reader.problems.length === 0) {
    const mistake = jsonMistake(text)
    if (mistake)
      reader.report(
        [mistake.offset, mistake.offset],
        `not JSON: ${sentence(mistake.message)}`,
        'a .json file must be strict JSON; name it .yaml to use YAML',
      )
  }

  const top = document.contents as Node | null
  if (top === null || (isScalar(top) && top.value === null))
    return { root: emptySection(), problems: reader.problems }
  const tree = reader.node(top, reader.origin(top.range))
  if (tree.kind === 'section') return { root: tree, problems: reader.problems }
  if (reader.problems.length === 0) {
    const what = tree.kind === 'list' ? 'a list' : 'a single value'
    reader.report(top.range, `found ${what}, expected keys with values`, 'write `key: value`')
  }
  return { root: emptySection(), problems: reader.problems }
}
