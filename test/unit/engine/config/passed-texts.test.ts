import { describe, expect, it } from 'vitest'
import {
  keptEdgeDefinitionSchema,
  newReleaseSchema,
  serviceDefinitionSchema,
} from '../../../../src/contract/index.ts'
import { readService } from '../../../../src/engine/config/index.ts'
import { loaded, mistakes } from './sources.ts'

/** What stands below a service, where the mistake is told, and what it says. */
const refused: [what: string, written: string, path: string, told: string][] = [
  [
    'a variable whose name holds =',
    'releases: {r1: {command: [a], env: {"A=B": x}}}',
    'releases.r1.env.A=B',
    'without =',
  ],
  [
    'a variable without a name',
    'releases: {r1: {command: [a], env: {? "" : x}}}',
    '',
    'found a key that is not a string',
  ],
  [
    'a variable whose name holds NUL',
    'releases: {r1: {command: [a], env: {"A\\0": x}}}',
    'releases.r1.env.A\0',
    'NUL',
  ],
  ['a variable that is null', 'releases: {r1: {command: [a], env: {A: null}}}', 'releases.r1.env', 'found'],
  ['a variable that is empty', 'releases: {r1: {command: [a], env: {A: }}}', 'releases.r1.env', 'found'],
  [
    'a parameter that is null',
    'releases: {r1: {command: [a], parameters: {A: null}}}',
    'releases.r1.parameters',
    'put it in quotes: "null"',
  ],
  ['NUL in a variable', 'releases: {r1: {command: [a], env: {A: "\\0"}}}', 'releases.r1.env', 'NUL'],
  [
    'NUL in a parameter',
    'releases: {r1: {command: [a], parameters: {A: "\\0"}}}',
    'releases.r1.parameters',
    'NUL',
  ],
  [
    'a parameter whose name holds =',
    'releases: {r1: {command: [a], parameters: {"A=": x}}}',
    'releases.r1.parameters.A=',
    'without =',
  ],
  ['NUL in a command', 'releases: {r1: {command: [a, "b\\0"]}}', 'releases.r1.command', 'NUL'],
  [
    'a command without a program',
    'releases: {r1: {command: [""]}}',
    'releases.r1.command',
    'begins with a program',
  ],
  ['NUL in a directory', 'releases: {r1: {command: [a], cwd: "b\\0"}}', 'releases.r1.cwd', 'NUL'],
  ['NUL in a check', 'checks: [{kind: command, argv: ["a\\0"]}]', 'checks', 'NUL'],
  ['a variable of a check', 'checks: [{kind: command, argv: [a], env: {"A=": x}}]', 'checks', 'without ='],
  [
    'NUL in a hook',
    'deploy: {hooks: [{name: a, when: after, phase: staging, run: {kind: script, argv: ["a\\0"]}}]}',
    'deploy.hooks',
    'NUL',
  ],
  [
    'a space in the name of a header',
    'routing: {candidateHeader: {name: x y, value: a}}',
    'routing.candidateHeader.name',
    'without spaces',
  ],
  [
    'a header that is not ASCII',
    'routing: {candidateHeader: {name: é, value: a}}',
    'routing.candidateHeader.name',
    'without spaces',
  ],
  [
    'a line break in the value of a header',
    'routing: {candidateHeader: {name: x, value: "a\\nb"}}',
    'routing.candidateHeader.value',
    'printable ASCII',
  ],
  [
    'a space around the value of a header',
    'routing: {candidateHeader: {name: x, value: " a"}}',
    'routing.candidateHeader.value',
    'printable ASCII',
  ],
  [
    '= in the name of a cookie',
    'routing: {candidateCookie: {name: x=, value: a}}',
    'routing.candidateCookie.name',
    'without spaces',
  ],
  [
    'a semicolon in the value of a cookie',
    'routing: {candidateCookie: {name: x, value: a;b}}',
    'routing.candidateCookie.value',
    'printable ASCII',
  ],
  [
    'a space in a path',
    'health: {path: /a b}',
    'health.path',
    'percent-encode what a request cannot hold: /a%20b',
  ],
  ['a path that is not ASCII', 'health: {path: /ä/😀}', 'health.path', '/%C3%A4/%F0%9F%98%80'],
  ['a control character in a path', 'health: {path: "/a\\r\\nb"}', 'health.path', '/a%0D%0Ab'],
  ['a fragment in a path', 'health: {path: "/a#b"}', 'health.path', '/a%23b'],
  ['a path without its slash', 'health: {path: a}', 'health.path', 'a path that starts with /'],
  ['a path of a check', 'checks: [{kind: load, path: /a b}]', 'checks', 'percent-encode'],
  ['a space in an address', 'listen: {host: "a b"}', 'listen.host', 'a host name or an address'],
  [
    'a line break in the host of a check',
    'checks: [{kind: tcp, host: "a\\nb", port: 1}]',
    'checks',
    'a host name or an address',
  ],
]

describe('text that cannot be passed on', () => {
  it.each(refused)('is refused in a config: %s', (_what, written, path, told) => {
    const found = mistakes(`services:\n  a: {${written}}\n`)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(path === '' ? '2:' : ` services.a.${path}`)
    expect(found[0]).toContain(told)
    expect(found[0]).not.toMatch(/Invalid/)
  })

  it('is taken where it can be', () => {
    const text = `services:
  a:
    health: {path: '/up?deep=1&x=%20[1]'}
    listen: {host: '::1'}
    routing: {candidateHeader: {name: X-Canary, value: yes please}, candidateCookie: {name: c, value: a=b}}
    releases: {r1: {command: [a, '', 'ä b'], env: {A: 'null', B: '', C: ä, 'x.y-z': 1}}}
`
    const [service] = loaded(text).config.services
    expect(service?.definition.health.path).toBe('/up?deep=1&x=%20[1]')
    expect(service?.releases[0]?.artifact.env).toEqual({ A: 'null', B: '', C: 'ä', 'x.y-z': '1' })
  })

  it('is refused in a declaration and by the edge', () => {
    expect(readService('a', { health: { path: '/a b' } })).toMatchObject({
      ok: false,
      error: { code: 'BAD_INPUT', message: expect.stringContaining('/a%20b') as string },
    })
    const definition = { name: 'a', listen: {} }
    expect(serviceDefinitionSchema.safeParse(definition).success).toBe(true)
    for (const part of [
      { health: { path: '/a b' } },
      { routing: { candidateHeader: { name: 'x y', value: '' } } },
    ]) {
      expect(serviceDefinitionSchema.safeParse({ ...definition, ...part }).success).toBe(false)
      // What an earlier version took is no damage of the state that holds it.
      expect(keptEdgeDefinitionSchema.safeParse({ ...definition, ...part }).success).toBe(true)
    }
  })

  it('is refused in a release that is made known over the API', () => {
    const release = (artifact: object, more: object = {}) =>
      newReleaseSchema.safeParse({
        service: 'a',
        id: 'r1',
        artifact: { kind: 'command', argv: ['a'], ...artifact },
        ...more,
      }).success
    expect(release({})).toBe(true)
    for (const artifact of [
      { argv: ['a\0'] },
      { argv: [''] },
      { env: { '': 'a' } },
      { env: { a: 'b\0' } },
      { env: { a: null } },
      { cwd: '\0' },
    ])
      expect(release(artifact)).toBe(false)
    expect(release({}, { parameters: { 'a=b': 'c' } })).toBe(false)
  })
})
