import { describe, expect, it } from 'vitest'
import { maxConfigBytes } from '../../../../src/engine/config/index.ts'
import { load, mistakes } from './sources.ts'

const sections =
  'version, environment, server, health, dataDirectory, logging, display, telemetry, deploy, services, environments'

/** What is wrong, the text, and the one mistake it must be told as. */
const table: [string, string, string][] = [
  [
    'a misspelt section',
    'servr:\n  port: 1\n',
    `1:1 servr: unknown key "servr", expected ${sections} | did you mean "server"?`,
  ],
  [
    'a misspelt key',
    'server:\n  prot: 1\n',
    '2:3 server.prot: unknown key "prot", expected host, port, allowedOrigins, token | did you mean "port"?',
  ],
  [
    'another way to write a key',
    'server:\n  allowed_origins: []\n',
    '2:3 server.allowed_origins: unknown key "allowed_origins", expected host, port, allowedOrigins, token | did you mean "allowedOrigins"?',
  ],
  [
    'a key in the wrong section',
    '\nport: 1\n',
    `2:1 port: unknown key "port", expected ${sections} | did you mean "server.port"?`,
  ],
  [
    'an inherited name',
    '__proto__: {}\n',
    `1:1 __proto__: unknown key "__proto__", expected ${sections} | remove it, or write one of the expected keys`,
  ],
  [
    'a quoted number',
    'server:\n  port: "8080"\n',
    '2:9 server.port: found the string "8080", expected a port: a whole number from 0 to 65535 | write the number without quotes: 8080',
  ],
  [
    'a port out of range',
    'server: {host: localhost, port: 65536}\n',
    '1:33 server.port: found the number 65536, expected a port: a whole number from 0 to 65535 | correct it, or remove port for the default: 7780',
  ],
  [
    'a missing value',
    'server:\n  port:\n',
    '2:8 server.port: found nothing, expected a port: a whole number from 0 to 65535 | correct it, or remove port for the default: 7780',
  ],
  [
    'a value for a section',
    'logging: info\n',
    '1:10 logging: found the string "info", expected a section with level, destination | indent its keys below it, each as `key: value`',
  ],
  [
    'a list for a section',
    'logging:\n  - info\n',
    '2:3 logging: found a list, expected a section with level, destination | indent its keys below it, each as `key: value`',
  ],
  [
    'a word that is none of the choices',
    'environment: prodction\n',
    '1:14 environment: found the string "prodction", expected one of development, staging, production | did you mean "production"?',
  ],
  [
    'a choice cut short',
    'environment: prod\n',
    '1:14 environment: found the string "prod", expected one of development, staging, production | did you mean "production"?',
  ],
  [
    'a duration without a unit',
    'telemetry:\n  interval: 1000\n',
    '2:13 telemetry.interval: found the number 1000, expected a duration with its unit from 1s to 1m, such as 30s, 12h or 7d | the unit is missing, as in 1000ms',
  ],
  [
    'a duration out of range',
    'telemetry:\n  interval: 10ms\n',
    '2:13 telemetry.interval: found the string "10ms", expected a duration with its unit from 1s to 1m, such as 30s, 12h or 7d | correct it, or remove interval for the default: 1s',
  ],
  [
    'a size that is none',
    'telemetry: {retention: {size: big}}\n',
    '1:31 telemetry.retention.size: found the string "big", expected a size with its unit from 1MB to 1TB, such as 100MB or 1GiB | correct it, or remove size for the default: 100MB',
  ],
  [
    'a percentage without its sign',
    'telemetry:\n  limits:\n    cpu:\n      warning: 85\n',
    '4:16 telemetry.limits.cpu.warning: found the number 85, expected a share from 0 to 1, or a percentage such as 80% | write 85% or 0.85',
  ],
  [
    'an origin with a path',
    'server:\n  allowedOrigins:\n    - https://a.example\n    - https://b.example/x\n',
    '4:7 server.allowedOrigins.1: found the string "https://b.example/x", expected web origins in a list, each such as https://ops.example.org | write https://b.example',
  ],
  [
    'critical below warning',
    'telemetry:\n  limits:\n    cpu:\n      critical: 0.5\n',
    '4:17 telemetry.limits.cpu.critical: found a warning from 0.8 and critical from 0.5, expected critical above warning | raise critical, or lower warning',
  ],
  [
    'roll-ups that go before what they are made of',
    'telemetry:\n  retention:\n    minute: 1d\n',
    '3:13 telemetry.retention.minute: found a shorter retention for minutes than for raw samples, expected at least as long | raise minute, or lower raw',
  ],
  [
    'an address others can reach',
    'server:\n  host: 0.0.0.0\n',
    '2:9 server.host: found the string "0.0.0.0", expected a loopback address: 127.0.0.1, ::1 or localhost | other addresses need TLS, which is not supported yet; use a tunnel or a proxy on this machine',
  ],
  [
    'a mistake in the overrides of another environment',
    'environments:\n  staging:\n    server:\n      port: x\n',
    '4:13 environments.staging.server.port: found the string "x", expected a port: a whole number from 0 to 65535 | correct it, or remove port for the default: 7780',
  ],
  [
    'a key twice',
    'server:\n  port: 1\n  host: localhost\n  port: 2\n',
    '4:3 : the key "port" appears twice | it is already on line 2; keep one',
  ],
  ['a tab', 'server:\n\tport: 1\n', '2:1 : tabs are not allowed as indentation | indent with spaces'],
  [
    'two documents',
    'version: 1\n---\nversion: 1\n',
    '2:1 : found a second document, expected one | remove everything from `---` on',
  ],
  ['a list at the top', '- version\n', '1:1 : found a list, expected keys with values | write `key: value`'],
  [
    'a text at the top',
    'hello\n',
    '1:1 : found a single value, expected keys with values | write `key: value`',
  ],
  [
    'an unknown tag',
    'server: !file x\n',
    '1:9 : unresolved tag: !file | remove the tag; a string that starts with ! needs quotes',
  ],
  [
    'a tag that makes bytes of a section',
    'services: !!binary aGVsbG8=\n',
    '1:20 : cannot read a value with the tag !!binary | remove the tag; a string that starts with ! needs quotes',
  ],
  [
    'a tag that makes a time of a text',
    'services: !!timestamp 2001-01-01\n',
    '1:23 : cannot read a value with the tag !!timestamp | remove the tag; a string that starts with ! needs quotes',
  ],
  ['a key that is a list', '? [a]\n: 1\n', '1:3 : found a key that is not a string | write `key: value`'],
  [
    'an alias into itself',
    'server: &s\n  token: *s\n',
    '2:10 : the alias *s leads nowhere or to itself | define &s above it, or write the value',
  ],
]

describe('a mistake in the file', () => {
  it.each(table)('is told with its place and remedy: %s', (_what, text, told) => {
    expect(mistakes(text)).toEqual([told])
  })

  it.each([
    ['port: 8080', 'services.web.listen.port'],
    ['command: [node]', 'services.web.releases.NAME.command'],
    ['deploy: {strikes: 2}', 'services.web.deploy.limits.strikes'],
    ['listen: {path: /}', 'services.web.health.path'],
    ['listen: {interval: 1s}', 'services.web.health.interval'],
    ['minReadyScore: 40', 'health.minReadyScore'],
  ])('points from a key in the wrong section to the nearest that takes it: %s', (written, place) => {
    const [told] = mistakes(`services:\n  web:\n    ${written}\n`)
    expect(told).toMatch(/^3:\d+ services\.web\..*unknown key/)
    expect(told?.split(' | ')[1]).toBe(`did you mean "${place}"?`)
  })

  it('is told together with all the others, by line', () => {
    const text = 'servr: 1\nserver:\n  port: x\n  host: ""\ntelemetry:\n  interval: 5\n'
    expect(mistakes(text).map((each) => each.split(' ')[0])).toEqual(['1:1', '3:9', '4:9', '6:13'])
  })

  it('does not make a second one of what follows from it', () => {
    const retention = (raw: string) => `telemetry: {retention: {raw: ${raw}, minute: 1d}}`
    expect(mistakes(retention('2d'))).toEqual([expect.stringMatching(/shorter retention for minutes/)])
    expect(mistakes(retention('2'))).toEqual([expect.stringContaining('the unit is missing')])
    expect(mistakes(`bad: [\n${retention('2d')}`)).not.toContainEqual(
      expect.stringContaining('retention for minutes'),
    )
  })

  it.each([
    ['services: {shop: {drain: 30}}', '30s'],
    ['services: {shop: {drain: 5000}}', '5000ms'],
    ['services: {shop: {timeouts: {idle: 60}}}', '60s'],
    ['services: {shop: {health: {interval: 2}}}', '2s'],
    ['services: {shop: {memoryLimit: 512}}', '512MB'],
    ['services: {shop: {memoryLimit: 536870912}}', '536870912B'],
    ['deploy: {steps: [{weight: 10, hold: 45}]}', '45s'],
    ['telemetry: {interval: 5}', '5s'],
    ['telemetry: {interval: 60000}', '60000ms'],
    ['telemetry: {retention: {raw: 7}}', '7d'],
    ['telemetry: {retention: {minute: 60}}', '60d'],
    ['services: {shop: {drain: 0}}', '0s'],
    ['telemetry: {retention: {hour: 3}}', '3y'],
    ['telemetry: {retention: {size: 200}}', '200MB'],
  ])('names the unit that the setting most likely takes: %s', (text, written) => {
    expect(mistakes(text)).toEqual([
      expect.stringMatching(new RegExp(`the unit is missing, as in ${written}$`)),
    ])
  })

  it('never suggests a value out of range', () => {
    expect(mistakes('telemetry: {interval: -3}')).toEqual([
      expect.stringContaining('| write a value in this range, with its unit'),
    ])
  })

  it('never shows what stands where a secret belongs', () => {
    for (const text of [
      'server: {token: hunter2}',
      'server: {token: {env: hunter2 x}}',
      'server: {token: {hunter2: 1}}',
    ]) {
      const told = mistakes(text)
      expect(told).toHaveLength(1)
      expect(told[0]).toContain('a reference to where the secret is kept: {env: NAME} or {file: path}')
      expect(told[0]).not.toContain('hunter2')
    }
  })
})

describe('a file that is no config', () => {
  const bytes = (...values: number[]) => new Uint8Array(values)

  it('is told where its bytes stop being UTF-8', () => {
    const text = new TextEncoder().encode('version: 1\nserver: {host: "é')
    expect(mistakes(new Uint8Array([...text, 0xff, 0x22, 0x7d]))).toEqual([
      '2:18 : found bytes that are not UTF-8 text | save the file as UTF-8',
    ])
    expect(mistakes(bytes(0xff, 0xfe, 0x41, 0))).toEqual([
      '1:1 : found UTF-16 text, expected UTF-8 | save the file as UTF-8',
    ])
  })

  it('is refused above 1 MiB, and read just below', () => {
    const comment = (length: number) => `#${' '.repeat(length - 1)}`
    expect(mistakes(comment(maxConfigBytes))).toEqual([])
    expect(mistakes(comment(maxConfigBytes + 1))).toEqual([
      '1:1 : found 1048577 bytes, expected at most 1048576 (1 MiB) | is this the right file?',
    ])
  })

  it('is refused when its aliases multiply', () => {
    const level = (index: number) =>
      `l${index}: &l${index} [${Array(9)
        .fill(`*l${index - 1}`)
        .join(', ')}]`
    const bomb = ['l0: &l0 [x, x]', ...Array.from({ length: 8 }, (_, index) => level(index + 1))].join('\n')
    expect(mistakes(bomb)).toEqual([
      expect.stringMatching(/^\d:\d+ : too large or too deeply nested after aliases are expanded/),
    ])
  })

  it.each([
    ['nested without end', '['.repeat(500_000)],
    ['nested in blocks', '- '.repeat(500_000)],
    ['5,000 lists in one line', `services:\n  ${'- '.repeat(5000)}x`],
    ['5,000 keys that are keys', '? '.repeat(5000)],
    ['5,000 sections in braces', `${'{a: '.repeat(5000)}1${'}'.repeat(5000)}`],
    ['5,000 objects of JSON', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`],
    ['one key per byte', Array.from({ length: 80_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['only quotes', '"'.repeat(1_000_000)],
  ])('is refused before it takes long: %s', (_what, text) => {
    expect(mistakes(text)).toEqual([
      '1:1 : the file is too large or too deeply nested to be a configuration | is this the right file?',
    ])
  })
})

describe('sections nested by their indentation', () => {
  it('are refused where they begin to be too deep', () => {
    const text = Array.from({ length: 1200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')
    expect(mistakes(text)).toEqual([
      '52:52 : too large or too deeply nested to be a configuration | is this the right file?',
    ])
  })
})

describe('a .json file', () => {
  const path = '/etc/pilothouse/pilothouse.json'

  it('is told apart by line and column as well', () => {
    expect(mistakes('{\n\t"server": {\n\t\t"port": 70000\n\t}\n}', { path })).toEqual([
      '3:11 server.port: found the number 70000, expected a port: a whole number from 0 to 65535 | correct it, or remove port for the default: 7780',
    ])
    expect(mistakes('{"server": {"port": 1}, "server": {}}', { path })).toEqual([
      '1:25 : the key "server" appears twice | it is already on line 1; keep one',
    ])
  })

  it('may not hold what only YAML allows', () => {
    expect(mistakes('{"version": 1,\n "server": {"port": 1,}}', { path })).toEqual([
      expect.stringMatching(/^2:23 : not JSON: /),
    ])
    expect(mistakes('version: 1\n', { path })).toEqual([expect.stringMatching(/^1:1 : not JSON: /)])
    expect(mistakes('{"version": 1', { path })).toEqual([expect.stringMatching(/^1:14 : /)])
    expect(mistakes('', { path })).toEqual([
      '1:1 : found an empty file, expected a JSON object | write {} at least',
    ])
  })
})

describe('a mistake outside the file', () => {
  it('is told by the name of the variable, with the nearest one there is', () => {
    const result = load(null, {
      variables: {
        PILOTHOUSE_SERVER_PORT: '1',
        PILOTHOUSE_TELEMETRY__INTERVALL: '1s',
        PILOTHOUSE_SERVER__PORT: 'x',
      },
    })
    expect(!result.ok && result.error.map(({ file, message, hint }) => [file, message, hint])).toEqual([
      [
        'PILOTHOUSE_SERVER_PORT',
        'no setting has this environment variable',
        'did you mean PILOTHOUSE_SERVER__PORT? If the variable is not for Pilothouse, rename or unset it',
      ],
      [
        'PILOTHOUSE_TELEMETRY__INTERVALL',
        'no setting has this environment variable',
        'did you mean PILOTHOUSE_TELEMETRY__INTERVAL? If the variable is not for Pilothouse, rename or unset it',
      ],
      [
        'PILOTHOUSE_SERVER__PORT',
        'found the string "x", expected a port: a whole number from 0 to 65535',
        'correct it, or remove port for the default: 7780',
      ],
    ])
  })

  it.each([
    ['PILOTHOUSE_SERVER_PROT', 'PILOTHOUSE_SERVER__PORT'],
    ['PILOTHOUSE_DATA_DIR', 'PILOTHOUSE_DATA_DIRECTORY'],
    ['PILOTHOUSE_LOGGING_LEVEL', 'PILOTHOUSE_LOGGING__LEVEL'],
    ['PILOTHOUSE_CONFG', 'PILOTHOUSE_CONFIG'],
    ['PILOTHOUSE_TOKNE', 'PILOTHOUSE_TOKEN'],
  ])('takes %s for a mistyped %s', (name, meant) => {
    const result = load(null, { variables: { [name]: '1' } })
    expect(!result.ok && result.error.map(({ file, hint }) => [file, hint])).toEqual([
      [name, expect.stringContaining(`did you mean ${meant}?`)],
    ])
  })

  it('is not a variable that resembles no setting: it is ignored and named', () => {
    const variables = {
      PILOTHOUSE_DIR: '/opt/pilothouse',
      PILOTHOUSE_BACKUP_BUCKET: 's3',
      PILOTHOUSE_X: '',
      PILOTHOUSE_SERVER__PORT: '3',
    }
    const result = load(null, { variables })
    expect(result.ok && result.value.ignoredVariables).toEqual(['PILOTHOUSE_BACKUP_BUCKET', 'PILOTHOUSE_DIR'])
    expect(result.ok && result.value.config.server.port).toBe(3)
  })

  it.each([
    'PILOTHOUSE_CONFIG',
    'PILOTHOUSE_URL',
    'PILOTHOUSE_TOKEN',
    'PILOTHOUSE_EDGE',
    'PILOTHOUSE_EDGE_GUARD',
    'PILOTHOUSE_CONTENT',
    'PILOTHOUSE_INSTANCE',
  ])('is not %s, which has a use of its own and is not named either', (name) => {
    const result = load(null, { variables: { [name]: 'x' } })
    expect(result.ok && result.value.ignoredVariables).toEqual([])
  })

  it('is not a link to a Kubernetes service, which is known by its value', () => {
    const links = {
      PILOTHOUSE_SERVICE_HOST: '10.0.0.1',
      PILOTHOUSE_SERVICE_PORT: '7780',
      PILOTHOUSE_SERVICE_PORT_HTTP: '7780',
      PILOTHOUSE_PORT: 'tcp://10.0.0.1:7780',
      PILOTHOUSE_PORT_7780_TCP: 'tcp://10.0.0.1:7780',
      PILOTHOUSE_PORT_7780_TCP_PROTO: 'tcp',
      PILOTHOUSE_PORT_7780_TCP_ADDR: '10.0.0.1',
    }
    const linked = load(null, { variables: links })
    expect(linked.ok && linked.value.ignoredVariables).toEqual([])
    const meant = load(null, { variables: { PILOTHOUSE_PORT: '8080' } })
    expect(meant.ok && meant.value.ignoredVariables).toEqual(['PILOTHOUSE_PORT'])
    const mistyped = load(null, { variables: { PILOTHOUSE_SERVICE_PORT: '8080' } })
    expect(!mistyped.ok && mistyped.error.map(({ hint }) => hint)).toEqual([
      expect.stringContaining('did you mean PILOTHOUSE_SERVER__PORT?'),
    ])
  })

  it('never shows the value of a variable that is no setting', () => {
    const result = load(null, { variables: { PILOTHOUSE_SERVER__TOKEN: 'hunter2' } })
    expect(result.ok).toBe(false)
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })

  it('is told by the name of the flag', () => {
    const result = load('server: {port: 1}', {
      flags: [{ name: '--port', path: 'server.port', text: '99999' }],
    })
    expect(!result.ok && result.error).toMatchObject([{ file: '--port', line: 0, path: 'server.port' }])
  })
})
