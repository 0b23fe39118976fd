import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { readService, variableNames, withKnownAddresses } from '../../../../src/engine/config/index.ts'
import { load } from './sources.ts'

const good = `# what a person writes
version: 1
environment: staging
server:
  host: 127.0.0.1
  port: 7780
  allowedOrigins: [https://ops.example.org]
  token: {file: ~/token}
telemetry:
  interval: 1s
  retention: {raw: 7d, minute: 90d, hour: 3y, size: 100MB}
  limits: &limits
    cpu: {warning: 80%, critical: 0.95}
deploy: {steps: [{weight: 10%, hold: 5m, gate: true}], limits: {maxErrorRatio: 2%}}
services:
  shop:
    listen: {port: 8080}
    health: {path: /up, interval: 500ms}
    memoryLimit: 200MB
    checks:
      - {kind: tcp, host: db.example, port: 5432, timeout: 2s}
      - {kind: reports, reports: [{format: json, path: r.json, rules: [{pointer: /a, min: 1}]}]}
    deploy: {preset: balanced, hooks: [{name: tell, when: before, phase: staging, run: {kind: webhook, url: 'https://a.example'}}]}
    releases:
      r1: {command: [node, shop.js], env: {MODE: a}, cwd: app}
environments:
  production:
    logging: {level: warn}
    services: {shop: {drain: 1m}}
`

const scrap = fc.oneof(
  fc.constantFrom(
    ...'{}[]:,&*!|>%@`"\'#-?\t\n\r\0 ',
    '\n---\n',
    '<<: *limits',
    '__proto__: ',
    '!!binary ',
    '\ud800',
    '- ',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
)

/** The good config with pieces cut out, put in and doubled. */
const mutated = fc
  .array(fc.record({ at: fc.nat(good.length), cut: fc.nat(6), put: scrap }), { minLength: 1, maxLength: 12 })
  .map((edits) =>
    edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), good),
  )

const paths = fc.constantFrom('/c/pilothouse.yaml', '/c/pilothouse.json')

/** A config or mistakes, each with words and a place inside the text. */
function expectAnswer(input: string | Uint8Array, path: string): void {
  const result = load(input, { path })
  if (result.ok) {
    expect(result.value.config.telemetry.intervalMs).toBeGreaterThanOrEqual(1000)
    return
  }
  const lineCount = new TextDecoder()
    .decode(typeof input === 'string' ? new TextEncoder().encode(input) : input)
    .split(/\n/).length
  expect(result.error.length).toBeGreaterThan(0)
  for (const problem of result.error) {
    expect(problem.message).not.toBe('')
    expect(problem.message).not.toContain('defect')
    expect(problem.hint).not.toBe('')
    expect(problem.file).toBe(path)
    expect(problem.line).toBeGreaterThanOrEqual(1)
    expect(problem.line).toBeLessThanOrEqual(lineCount)
    expect(problem.column).toBeGreaterThanOrEqual(1)
  }
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Each place in a value, from the top on. */
function placesOf(value: Json, at: readonly string[] = []): string[][] {
  const inside = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [[...at], ...inside.flatMap(([key, each]) => placesOf(each, [...at, key]))]
}

interface Edit {
  kind: 'replace' | 'delete' | 'double' | 'rename' | 'wrap'
  at: number
  put: Json
}

/** `root` with one node replaced, taken away, doubled under another name, renamed or put into a list. */
function edited(root: Json, { kind, at, put }: Edit): Json {
  const all = placesOf(root)
  const path = all[at % all.length] ?? []
  const last = path.at(-1)
  if (last === undefined) return kind === 'replace' ? put : root
  const copy = structuredClone(root)
  const parent = path
    .slice(0, -1)
    .reduce<Json>((node, key) => (node as Record<string, Json>)[key] ?? null, copy)
  const holder = parent as Record<string, Json>
  const value = holder[last] ?? null
  if (kind === 'replace') holder[last] = put
  else if (kind === 'wrap') holder[last] = [value]
  else if (kind === 'double') holder[`${last}2`] = value
  else {
    if (Array.isArray(parent)) parent.splice(Number(last), 1)
    else delete holder[last]
    if (kind === 'rename' && !Array.isArray(parent)) holder[JSON.stringify(put).slice(0, 20)] = value
  }
  return copy
}

const anyNode: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    '',
    0,
    -1,
    1e308,
    2 ** 70,
    'node server.js --verbose',
    '1.10',
    '80%',
    '5m',
    '\u202e',
    '\0',
    [],
    {},
    [[]],
    [null],
    [{}],
    ['node', 4],
    { kind: 'command' },
    { kind: 'webhook', url: 'x' },
    { __proto__: null },
  ),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
)

const edits = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom('replace', 'replace', 'delete', 'double', 'rename', 'wrap'),
    at: fc.nat(1000),
    put: anyNode,
  }),
  { minLength: 1, maxLength: 3 },
)

const goodTree = parse(good) as Json
const goodService = (goodTree as { services: { shop: Record<string, Json> } }).services.shop

describe('whatever becomes of the nodes of a good config', () => {
  it('it is a config or mistakes with places and remedies', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(edits, fc.boolean(), (all, isJson) => {
        const tree = all.reduce(edited, goodTree)
        const text = isJson ? JSON.stringify(tree) : stringify(tree, { aliasDuplicateObjects: false })
        expectAnswer(text, isJson ? '/c/pilothouse.json' : '/c/pilothouse.yaml')
      }),
      { numRuns: 400, seed: 17 },
    )
  })

  it('each node alone may be anything', { timeout: 300_000 }, () => {
    for (const at of placesOf(goodTree).keys())
      for (const put of [null, 7, 'node server.js', {}, [[7]]])
        expectAnswer(JSON.stringify(edited(goodTree, { kind: 'replace', at, put })), '/c/pilothouse.json')
  })

  it('a declared service is one or is refused with each mistake', { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(edits, (all) => {
        const tree = all.reduce(edited, goodService as Json)
        if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return
        const read = readService('shop', withKnownAddresses(tree, goodService))
        if (!read.ok) {
          expect(read.error.code).toBe('BAD_INPUT')
          expect(read.error.message).not.toMatch(/^$|defect/)
        }
      }),
      { numRuns: 300, seed: 18 },
    )
  })

  it('however deep a declared service is nested', () => {
    const nested = (wrap: (inner: unknown) => unknown) => {
      let value: unknown = 1
      for (let depth = 0; depth < 5000; depth++) value = wrap(value)
      return value
    }
    for (const value of [nested((inner) => [inner]), nested((inner) => ({ a: inner }))])
      for (const key of ['listen', 'checks', 'releases', 'unknown'])
        expect(readService('shop', { [key]: value })).toMatchObject({ error: { code: 'BAD_INPUT' } })
    const hooks = [{ name: nested((inner) => [inner]), run: { url: 'https://a.example' } }]
    expect(readService('shop', withKnownAddresses({ deploy: { hooks } }, {})).ok).toBe(false)
  })
})

describe('whatever a file holds, loading it gives a config or mistakes with their places', () => {
  it('for a config with random edits', { timeout: 120_000 }, () => {
    fc.assert(fc.property(mutated, paths, expectAnswer), { numRuns: 300 })
  })

  it('for random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), paths, expectAnswer), { numRuns: 500 })
  })

  it('for random data of the right notation', () => {
    const data = fc.json({ maxDepth: 4 })
    fc.assert(fc.property(data, paths, expectAnswer), { numRuns: 500 })
  })

  it('for random values at the right keys of a service', () => {
    const places = fc.constantFrom(
      'listen',
      'checks',
      'deploy',
      'releases',
      'routing',
      'drain',
      'memoryLimit',
    )
    const value = fc.jsonValue({ maxDepth: 3 })
    const check = fc.record({
      kind: fc.constantFrom('tcp', 'freeze', 'command', 'load', 'reports', 7),
      host: value,
    })
    fc.assert(
      fc.property(places, fc.oneof(value, fc.array(check)), fc.string(), (key, any, name) => {
        expectAnswer(JSON.stringify({ services: { [name]: { [key]: any } } }), '/c/pilothouse.json')
      }),
      { numRuns: 500 },
    )
  })

  it('for random values at the right keys', () => {
    const value = fc.anything({ maxDepth: 1 })
    fc.assert(
      fc.property(
        fc.constantFrom(
          'server',
          'telemetry',
          'environment',
          'environments',
          'logging',
          'deploy',
          'services',
        ),
        value,
        (key, any) => {
          expectAnswer(JSON.stringify({ [key]: any }) ?? '{}', '/c/pilothouse.json')
        },
      ),
    )
  })
})

describe('whatever variables hold, loading them gives a config or mistakes with their names', () => {
  it('for random text in known and unknown names', () => {
    const name = fc.oneof(
      fc.constantFrom(...variableNames),
      fc.string().map((text) => `PILOTHOUSE_${text}`),
    )
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: 'binary' })), (variables) => {
        const result = load(null, { variables })
        if (!result.ok) for (const problem of result.error) expect(problem.message).not.toBe('')
      }),
    )
  })
})
