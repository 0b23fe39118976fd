import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { variableNames } from '../../../../src/engine/config/index.ts'
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
    expect(problem.file).toBe(path)
    expect(problem.line).toBeGreaterThanOrEqual(1)
    expect(problem.line).toBeLessThanOrEqual(lineCount)
    expect(problem.column).toBeGreaterThanOrEqual(1)
  }
}

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
