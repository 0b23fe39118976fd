import { describe, expect, it } from 'vitest'
import { changedSettings, describeConfig } from '../../../../src/engine/config/index.ts'
import { load, loaded, mistakes } from './sources.ts'

const shop = `deploy:
  hold: 5m
  limits: {maxErrorRatio: 2%}
services:
  shop:
    listen: {port: 8080}
    health: {path: /up, interval: 500ms}
    drain: 1m
    memoryLimit: 200MB
    checks:
      - {kind: tcp, host: db.example, port: 5432, timeout: 2s}
      - {kind: command, argv: [make, check], cwd: tests, env: {KEY: hidden-1}}
    deploy:
      steps:
        - {weight: 10%, hold: 30s}
        - {weight: 50, hold: 2m, gate: true}
    releases:
      r1: {command: [node, shop.js], env: {KEY: hidden-2}, cwd: app, parameters: {size: big}}
      r2: {command: [/bin/shop]}
  cart: {}
environments:
  production:
    deploy: {metricsEvery: 10s}
    services: {shop: {drain: 2m, deploy: {preset: conservative}}}
`

describe('services in a config', () => {
  it('are read in the units people write, with the defaults of the contract', () => {
    const { deploy, services } = loaded(shop).config
    expect(deploy).toEqual({ holdMs: 300_000, limits: { maxErrorRatio: 0.02 } })
    expect(services.map(({ definition }) => definition.name)).toEqual(['shop', 'cart'])
    expect(services[0]?.definition).toMatchObject({
      target: 'edge',
      listen: { host: '127.0.0.1', port: 8080 },
      health: { path: '/up', intervalMs: 500, timeoutMs: 2000, rise: 2, fall: 3 },
      drainMs: 60_000,
      graceMs: 10_000,
      memoryLimitBytes: 200e6,
    })
    expect(services[0]?.deploy.steps).toEqual([
      { weight: 10, holdMs: 30_000, analysis: true, gate: false },
      { weight: 50, holdMs: 120_000, analysis: true, gate: true },
    ])
    expect(services[1]).toMatchObject({ deploy: {}, checks: [], releases: [] })
    expect(services[1]?.definition.memoryLimitBytes).toBeNull()
  })

  it('hold releases and checks, with directories that start at the file', () => {
    const service = loaded(shop).config.services[0]
    expect(service?.releases).toEqual([
      {
        id: 'r1',
        artifact: {
          kind: 'command',
          argv: ['node', 'shop.js'],
          env: { KEY: 'hidden-2' },
          cwd: '/etc/pilothouse/app',
        },
        parameters: { size: 'big' },
        note: '',
      },
      { id: 'r2', artifact: { kind: 'command', argv: ['/bin/shop'], env: {} }, parameters: {}, note: '' },
    ])
    expect(service?.checks).toMatchObject([
      { kind: 'tcp', timeoutMs: 2000, retries: 3, critical: true },
      { kind: 'command', cwd: '/etc/pilothouse/tests', timeoutMs: 30_000 },
    ])
  })

  it('are overridden by the environment, and a preset replaces the steps below it', () => {
    const { deploy, services } = loaded(`environment: production\n${shop}`).config
    expect(deploy).toMatchObject({ holdMs: 300_000, metricsEveryMs: 10_000 })
    expect(services[0]?.definition.drainMs).toBe(120_000)
    expect(services[0]?.definition.listen.port).toBe(8080)
    expect(services[0]?.deploy).toEqual({ preset: 'conservative' })
  })

  it('set how full hosts may be, a preset of the environment in place of what stands below', () => {
    const text = `deploy: {preset: conservative, resources: {maxCpuRatio: 60%, maxDiskRatio: null}}
environments: {staging: {deploy: {preset: aggressive}}}
`
    const shown = (more: string) =>
      describeConfig(loaded(more + text))
        .entries.filter(({ path }) => path.startsWith('deploy.resources.'))
        .map(({ path, value }) => `${path.slice('deploy.resources.'.length)} ${value}`)
    expect(shown('')).toEqual(['maxCpuRatio 60%', 'maxMemoryRatio 0.75', 'maxDiskRatio null'])
    expect(shown('environment: staging\n')).toEqual([
      'maxCpuRatio 0.95',
      'maxMemoryRatio 0.95',
      'maxDiskRatio 0.95',
    ])
  })

  it('take every kind of check, hook and freeze window', () => {
    const text = `services:
  a:
    checks:
      - {kind: freeze, windows: [{reason: fair, from: '2026-12-24T18:00', to: '2026-12-27T08:00'}, {reason: night, cron: 0 22 * * *, duration: 8h}]}
      - {kind: load, duration: 3s, maxP95: 200ms, maxErrorRatio: 1%, maxRegression: 150%}
      - {kind: reports, maxAge: 1h, reports: [{format: json, path: r.json, rules: [{pointer: /a, min: 1}]}]}
    deploy:
      hooks:
        - {name: a, when: after, phase: promoting, run: {kind: script, argv: [a]}, timeout: 10s}
        - {name: b, when: before, phase: staging, run: {kind: webhook, url: 'https://x.example/'}}
`
    const [service] = loaded(text).config.services
    expect(service?.checks).toMatchObject([
      { windows: [{ timeZone: 'UTC' }, { durationMs: 8 * 3600e3 }] },
      { durationMs: 3000, maxP95Ms: 200, maxErrorRatio: 0.01, maxRegression: 1.5 },
      { maxAgeMs: 3600e3, reports: [{ rules: [{ pointer: '/a', min: 1 }] }] },
    ])
    expect(service?.deploy.hooks).toMatchObject([
      { timeoutMs: 10_000 },
      { run: { url: 'https://x.example/' } },
    ])
  })

  it('are shown with their origins, and never what a command finds in its environment', () => {
    const entries = describeConfig(loaded(shop)).entries
    const entry = (path: string) => entries.find((each) => each.path === path)
    expect(entry('services.shop.drain')).toMatchObject({
      value: '1m',
      origin: 'file /etc/pilothouse/pilothouse.yaml:8:12',
    })
    expect(entry('services.cart.deploy.hold')).toBeUndefined()
    expect(entry('deploy.limits.maxErrorRatio')).toMatchObject({ value: '2%', isDefault: false })
    expect(entry('deploy.limits.warmUp')).toMatchObject({ value: '30s', isDefault: true })
    expect(entry('deploy.metricsEvery')).toMatchObject({ value: '30s', isDefault: true })
    expect(entry('deploy.steps')?.value).toBe('[{"weight":10,"hold":"5m","analysis":true,"gate":false}]')
    expect(entry('services.cart.drain')).toMatchObject({ value: '30s', isDefault: true })
    expect(entry('services.shop.releases.r2.command')?.value).toBe('/bin/shop')
    expect(entry('services.shop.deploy.steps')?.value).toContain('"hold":"30s"')
    expect(entry('services.shop.releases.r1.env')?.value).toBe('{"KEY":"••••••"}')
    expect(JSON.stringify(entries)).not.toContain('hidden-')
    for (const { path, description } of entries) expect(description, path).not.toBe('')
  })

  it('are shown with where a webhook leads, and nothing that could be its secret', () => {
    const hook = '{name: tell, when: after, phase: promoting, run: {kind: webhook, url: URL}}'
    const text = `deploy: {hooks: [${hook}]}\nservices: {a: {deploy: {hooks: [${hook}]}}}\n`
    const { config, ...rest } = loaded(text.replaceAll('URL', 'https://hooks.example/T0/secret?token=also'))
    const { entries } = describeConfig({ config, ...rest })
    const shown = entries.filter(({ path }) => path.endsWith('deploy.hooks')).map(({ value }) => value)
    expect(shown).toHaveLength(2)
    for (const value of shown) expect(value).toContain('"url":"https://hooks.example/••••••"')
    expect(JSON.stringify(entries)).not.toMatch(/secret\?|also/)
    expect(config.deploy.hooks?.[0]?.run).toMatchObject({
      url: 'https://hooks.example/T0/secret?token=also',
    })
  })

  it('may keep the address of a webhook in a file beside them', () => {
    const text =
      'deploy: {hooks: [{name: tell, when: after, phase: promoting, run: {kind: webhook, urlFile: secrets/tell}}]}'
    expect(loaded(text).config.deploy.hooks?.[0]?.run).toEqual({
      kind: 'webhook',
      urlFile: '/etc/pilothouse/secrets/tell',
    })
  })

  it('are told of when they come, change and go', () => {
    const one = loaded('services: {a: {drain: 1s}}')
    const paths = (before: typeof one, after: typeof one) =>
      changedSettings(before, after).map(({ path, from, to }) => `${path} ${from}>${to}`)
    expect(paths(one, loaded('services: {a: {drain: 2s}}'))).toEqual(['services.a.drain 1s>2s'])
    expect(paths(one, loaded(null))).toContain('services.a.drain 1s>')
    expect(paths(loaded(null), one)).toContain('services.a.drain >1s')
  })

  it('have plan options that variables may set', () => {
    const variables = { PILOTHOUSE_DEPLOY__PRESET: 'aggressive', PILOTHOUSE_DEPLOY__IS_FIX: 'true' }
    expect(loaded(null, { variables }).config.deploy).toEqual({ preset: 'aggressive', isFix: true })
  })
})

const at = (lines: string) => `services:\n  shop:\n${lines}`

/** What is wrong, the text, and the one mistake it must be told as. */
const table: [string, string, RegExp][] = [
  [
    'a misspelt key',
    at('    drian: 1s\n'),
    /^3:5 services.shop.drian: unknown key "drian".* \| did you mean "drain"\?$/,
  ],
  ['a base unit', at('    drainMs: 1\n'), /^3:5 .*unknown key "drainMs".*did you mean "drain"\?$/],
  [
    'a bad name',
    'services:\n  "a b": {}\n',
    /^2:3 services.a b: found the name "a b", expected letters, digits/,
  ],
  ['a name that is unusable', 'services:\n  __proto__: {}\n', /^2:3 .*found the name "__proto__"/],
  ['a list of services', 'services: [a]\n', /^1:11 services: found a list, expected a section of names/],
  [
    'a wrong unit',
    at('    drain: 10\n'),
    /^3:12 .*found the number 10, expected a duration.* \| the unit is missing, as in 10ms$/,
  ],
  [
    'a release without a command',
    at('    releases:\n      r1: {env: {A: b}}\n'),
    /^4:11 services.shop.releases.r1.command: found nothing, expected a list of texts/,
  ],
  [
    'a number for an environment variable',
    at('    releases:\n      r1: {command: [a], env: {A: 1}}\n'),
    /^4:35 services.shop.releases.r1.env.A: found the number 1, expected text/,
  ],
  [
    'a mistake in a step',
    at('    deploy:\n      steps:\n        - {weight: 10, hold: 1m}\n        - {weight: 200, hold: 1m}\n'),
    /^6:20 services.shop.deploy.steps.1.weight: found the number 200, expected a percentage/,
  ],
  [
    'an unknown kind of check',
    at('    checks:\n      - {kind: tpc}\n'),
    /^4:16 services.shop.checks.0.kind: found the text "tpc", expected one of .*tcp.* \| did you mean "tcp"\?$/,
  ],
  [
    'a misspelt key of a check',
    at('    checks:\n      - {kind: tcp, host: a, prot: 1, port: 1}\n'),
    /^4:30 services.shop.checks.0.prot: unknown key "prot", expected kind, name.* \| did you mean "port"\?$/,
  ],
  [
    'what a check needs',
    at('    checks:\n      - {kind: tcp, port: 1}\n'),
    /^4:9 services.shop.checks.0.host: found nothing, expected text/,
  ],
  [
    'a bad form of a freeze window',
    at('    checks:\n      - {kind: freeze, windows: [{reason: a, cron: never, duration: 1h}]}\n'),
    /^4:52 services.shop.checks.0.windows.0.cron: found the text "never", expected a cron pattern of five fields/,
  ],
  [
    'a freeze that ends before it begins',
    at(
      "    checks:\n      - {kind: freeze, windows: [{reason: a, from: '2026-01-02T00:00', to: '2026-01-01T00:00'}]}\n",
    ),
    /^4:34 services.shop.checks.0.windows.0: to is not after from/,
  ],
  [
    'two checks of one name',
    at('    checks:\n      - {kind: artifact}\n      - {kind: artifact}\n'),
    /^5:9 services.shop.checks.1.name: there is a check artifact already/,
  ],
  [
    'a password of Redis that would cross the network in clear',
    at('    checks:\n      - {kind: redis, host: db, passwordEnv: DB}\n'),
    /^4:9 services.shop.checks.0.isTls: the password would cross the network in clear: set isTls/,
  ],
  [
    'a password that stands in the file, which is not repeated',
    at('    checks:\n      - {kind: redis, host: db, password: hunter-2}\n'),
    /^4:33 services.shop.checks.0.password: unknown key "password", expected (?!.*hunter).* \| did you mean "passwordEnv"\?$/,
  ],
  [
    'a plan that cannot work',
    at('    deploy: {steps: [{weight: 50, hold: 1m}, {weight: 10, hold: 1m}]}\n'),
    /^3:13 services.shop.deploy: step 2 has 10 %, less than the 50 % before it/,
  ],
  [
    'two services at one port',
    'services:\n  a: {listen: {port: 80}}\n  b: {listen: {port: 80}}\n',
    /^3:22 services.b.listen.port: found 127.0.0.1:80, where a listens already/,
  ],
  [
    'a mistake in an override',
    'environments: {production: {services: {a: {grace: soon}}}}\n',
    /^1:51 environments.production.services.a.grace: found the text "soon", expected a duration/,
  ],
]

describe('a mistake in a service', () => {
  it.each(table)('is told with its place and remedy: %s', (_what, text, told) => {
    expect(mistakes(text)).toEqual([expect.stringMatching(told)])
  })

  it('is told together with all others, and does not hide them', () => {
    const text = at(
      '    drain: 1\n    health: {path: up, rise: 0}\n    deploy: {weight: a}\n  other: {targett: 1}\n',
    )
    expect(mistakes(text).map((each) => each.split(':')[0])).toEqual(['3', '4', '4', '5', '6'])
  })

  it('leaves an empty service a service', () => {
    const result = load('services:\n  shop:\n')
    expect(result.ok && result.value.config.services.map(({ definition }) => definition.name)).toEqual([
      'shop',
    ])
  })
})
