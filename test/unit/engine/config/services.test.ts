import { describe, expect, it } from 'vitest'
import { changedSettings, describeConfig } from '../../../../src/engine/config/index.ts'
import { file, load, loaded, mistakes } from './sources.ts'

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
  it('and their releases keep the order of the file, whatever their names', () => {
    const { services } = loaded(
      'services:\n  shop: {releases: {r1: {command: [a]}, 10: {command: [a]}, constructor: {command: [a]}, 9: {command: [a]}}}\n  2024: {}\n',
    ).config
    expect(services.map(({ definition }) => definition.name)).toEqual(['shop', '2024'])
    expect(services[0]?.releases.map(({ id }) => id)).toEqual(['r1', '10', 'constructor', '9'])
  })

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

  it('run releases in the directory of the file unless these say otherwise', () => {
    const [service] = loaded(shop, { path: '/srv/shop/pilothouse.yaml' }).config.services
    expect(service?.definition.workingDirectory).toBe('/srv/shop')
    expect(service?.releases.map(({ artifact: { cwd }, hasDefaultCwd }) => [cwd, hasDefaultCwd])).toEqual([
      ['/srv/shop/app', false],
      ['/srv/shop', true],
    ])
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
        hasDefaultCwd: false,
      },
      {
        id: 'r2',
        artifact: { kind: 'command', argv: ['/bin/shop'], env: {}, cwd: '/etc/pilothouse' },
        parameters: {},
        note: '',
        hasDefaultCwd: true,
      },
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

  it.each([
    ['listen: {port: 7780}', '', 'default'],
    ['listen: {port: 9000}', 'server: {port: 9000}\n', `file ${file}:1:16`],
    ['listen: {port: 9000, host: 0.0.0.0}', 'server: {port: 9000, host: localhost}\n', `file ${file}:1:16`],
  ])('may not listen where Pilothouse does: %s %s', (listen, server, place) => {
    const found = mistakes(`${server}services:\n  web: {${listen}}\n`)
    expect(found).toEqual([
      expect.stringContaining(
        `where Pilothouse itself listens (server.port: ${place}), expected a port`,
      ) as string,
    ])
    expect(found[0]).toMatch(/services\.web\.listen\.port: .* \| write another port/)
  })

  it('may listen on any port that neither Pilothouse nor another service has', () => {
    const text = `services:
  a: {listen: {port: 0}}
  b: {listen: {port: 0}}
  c: {listen: {port: 7780, host: '::1'}}
  d: {listen: {port: 7781}}
`
    expect(mistakes(text)).toEqual([])
    expect(mistakes('server: {port: 0}\nservices: {a: {listen: {port: 7780}}}\n')).toEqual([])
    expect(mistakes(text, { flags: [{ name: '--port', path: 'server.port', text: '7781' }] })).toEqual([
      expect.stringContaining('services.d.listen.port: found 127.0.0.1:7781, where Pilothouse') as string,
    ])
  })

  describe('whose names hold dots', () => {
    const text = `services:
  my.svc:
    listen: {port: 8080}
    drain: 1m
    releases:
      1.10: {command: [node, a.js], env: {KEY: hidden-1}}
      v1.2: {command: [node, b.js], note: two}
  my: {}
`
    const entries = describeConfig(loaded(text)).entries
    const entry = (path: string) => entries.find((each) => each.path === path)

    it('are shown as they are written, each setting under a path of its own', () => {
      expect(entry('services."my.svc".listen.port')).toMatchObject({
        value: '8080',
        origin: `file ${file}:3:20`,
        isDefault: false,
      })
      expect(entry('services."my.svc".drain')?.value).toBe('1m')
      expect(entry('services."my.svc".releases."1.10".command')?.value).toBe('node, a.js')
      expect(entry('services."my.svc".releases."1.10".env')?.value).toBe('{"KEY":"••••••"}')
      expect(entry('services."my.svc".releases."v1.2".note')?.value).toBe('two')
      expect(entry('services.my.drain')).toMatchObject({ value: '30s', isDefault: true })
      expect(new Set(entries.map(({ path }) => path)).size).toBe(entries.length)
    })

    it('are told of when they change', () => {
      expect(changedSettings(loaded(text), loaded(text.replace('8080', '8081')))).toEqual([
        { effect: 'live', path: 'services."my.svc".listen.port', from: '8080', to: '8081' },
      ])
    })

    it('are judged by what is written in them', () => {
      expect(mistakes('services: {my.svc: {drain: 5, drian: 6}}\n')).toEqual([
        expect.stringMatching(/^1:28 services\."my\.svc"\.drain: found the number 5,/) as string,
        expect.stringMatching(/^1:31 services\."my\.svc"\.drian: unknown key "drian",/) as string,
      ])
      expect(mistakes('services: {a.b: {listen: {port: 80}}, a: {listen: {port: 80}}}\n')).toEqual([
        expect.stringMatching(/^1:58 services\.a\.listen\.port: found 127\.0\.0\.1:80, where a\.b/) as string,
      ])
    })

    it('keep what follows from their mistakes from being told as well, and nothing of a neighbor', () => {
      const text = `services:
  a: {listen: {port: 80}}
  a.b: {listen: {port: 80, host: []}}
  ab: {listen: {port: 80}, drain: 5}
`
      expect(mistakes(text).map((each) => each.split(' ')[1])).toEqual([
        'services."a.b".listen.host:',
        'services.ab.listen.port:',
        'services.ab.drain:',
      ])
    })
  })

  describe('that set how releases are deployed', () => {
    const shown = (deploy: string) => {
      const { entries } = describeConfig(loaded(`deploy: ${deploy}\n`))
      return (path: string) => {
        const entry = entries.find((each) => each.path === `deploy.${path}`)
        return [entry?.value, entry?.origin]
      }
    }
    it.each([
      ['{steps: [{weight: 5, hold: 2m}]}', 'weight', '5', 'deploy.steps (file)'],
      ['{steps: [{weight: 5, hold: 2m}]}', 'hold', '2m', 'deploy.steps (file)'],
      ['{steps: [{weight: 5, hold: 2m}, {weight: 9, hold: 1m}]}', 'weight', '', 'deploy.steps (file)'],
      ['{hold: 7m, steps: [{weight: 5, hold: 2m}]}', 'hold', '2m', 'deploy.steps (file)'],
      ['{preset: aggressive}', 'startAtOnce', '10', 'deploy.preset (file)'],
      ['{preset: aggressive, startAtOnce: 3}', 'startAtOnce', '3', 'file'],
      ['{preset: aggressive}', 'resources.maxCpuRatio', '0.95', 'deploy.preset (file)'],
      ['{preset: aggressive, isFix: true}', 'resources.maxCpuRatio', 'null', 'deploy.isFix (file)'],
      ['{preset: aggressive, isFix: false}', 'resources.maxCpuRatio', '0.95', 'deploy.preset (file)'],
      [
        '{limits: {minSuccessRatio: 95%}}',
        'limits.maxErrorRatio',
        '0.05',
        'deploy.limits.minSuccessRatio (file)',
      ],
      ['{limits: {minSuccessRatio: 95%, maxErrorRatio: 1%}}', 'limits.maxErrorRatio', '1%', 'file'],
      [
        '{limits: {minSuccessRatio: 95%, maxErrorRatio: 1%}}',
        'limits.minSuccessRatio',
        '0.99',
        'deploy.limits.maxErrorRatio (file)',
      ],
      ['{weight: 20}', 'weight', '20', 'file'],
      ['{instances: 2}', 'weight', '10', 'default'],
    ])('show what is in force, and what decides it: %s %s', (deploy, path, value, origin) => {
      const [text, from] = shown(deploy)(path)
      expect([text, from?.replace(/ \S+yaml:1:\d+/, '')]).toEqual([value, origin])
    })

    it('name what decides another setting wherever leaving it out changes that one', () => {
      const written = {
        steps: '[{weight: 5, hold: 2m}]',
        weight: '20',
        hold: '3m',
        preset: 'aggressive',
        isFix: 'true',
        startAtOnce: '4',
        maxTime: '2h',
        limits: '{minSuccessRatio: 95%}',
      }
      const names = Object.keys(written) as (keyof typeof written)[]
      for (let bits = 1; bits < 2 ** names.length; bits++) {
        const chosen = names.filter((_, bit) => bits & (2 ** bit))
        if (chosen.length > 3) continue
        const textOf = (each: typeof names) =>
          `deploy: {${each.map((name) => `${name}: ${written[name]}`).join(', ')}}\n`
        const { entries } = describeConfig(loaded(textOf(chosen)))
        for (const left of chosen) {
          const without = new Map(
            describeConfig(loaded(textOf(chosen.filter((name) => name !== left)))).entries.map((each) => [
              each.path,
              each.value,
            ]),
          )
          for (const { path, value, isDefault } of entries)
            if (value !== without.get(path)) expect([chosen, path, isDefault]).toEqual([chosen, path, false])
        }
      }
    })
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
  [
    'a release with a name that is unusable',
    at('    releases:\n      __proto__: {command: [a]}\n'),
    /^4:7 .*found the name "__proto__"/,
  ],
  ['a list of services', 'services: [a]\n', /^1:11 services: found a list, expected a section of names/],
  [
    'a wrong unit',
    at('    drain: 10\n'),
    /^3:12 .*found the number 10, expected a duration.* \| the unit is missing, as in 10s$/,
  ],
  [
    'a release without a command',
    at('    releases:\n      r1: {env: {A: b}}\n'),
    /^4:11 services.shop.releases.r1.command: found nothing, expected a list of strings/,
  ],
  [
    'a list for an environment variable',
    at('    releases:\n      r1: {command: [a], env: {A: [1]}}\n'),
    /^4:35 services.shop.releases.r1.env.A: found a list, expected a string/,
  ],
  [
    'a command as one text',
    at('    releases:\n      r1: {command: node server.js --name "my shop"}\n'),
    /^4:21 services.shop.releases.r1.command: found the string .*, expected a list of strings \| write a list: command: \[node, server.js, --name, "my shop"\]$/,
  ],
  [
    'a number among the words of a command',
    at('    releases:\n      r1: {command: [node, server.js, --workers, 4]}\n'),
    /^4:50 services.shop.releases.r1.command.3: found the number 4, expected a string \| put it in quotes: "4"$/,
  ],
  [
    'a command that is a number',
    at('    releases:\n      r1: {command: 7}\n'),
    /^4:21 services.shop.releases.r1.command: found the number 7, .* \| write a list: command: \[node, server.js\]$/,
  ],
  [
    'an empty command beside a good release',
    at('    releases:\n      r1: {command: [a]}\n      r2: {command: }\n'),
    /^5:21 services.shop.releases.r2.command: found nothing, .* \| write a list: command: \[node, server.js\]$/,
  ],
  [
    'a command without words',
    at('    releases:\n      r1: {command: []}\n'),
    /^4:21 services.shop.releases.r1.command: found a list, expected a list of strings \| write a list: /,
  ],
  [
    'a command of a list in a list',
    at('    releases:\n      r1: {command: [[a]]}\n'),
    /^4:22 services.shop.releases.r1.command.0: found a list, expected a string/,
  ],
  [
    'a mistake in a step',
    at('    deploy:\n      steps:\n        - {weight: 10, hold: 1m}\n        - {weight: 200, hold: 1m}\n'),
    /^6:20 services.shop.deploy.steps.1.weight: found the number 200, expected a percentage/,
  ],
  [
    'an unknown kind of check',
    at('    checks:\n      - {kind: tpc}\n'),
    /^4:16 services.shop.checks.0.kind: found the string "tpc", expected one of .*tcp.* \| did you mean "tcp"\?$/,
  ],
  [
    'a misspelt key of a check',
    at('    checks:\n      - {kind: tcp, host: a, prot: 1, port: 1}\n'),
    /^4:30 services.shop.checks.0.prot: unknown key "prot", expected kind, name.* \| did you mean "port"\?$/,
  ],
  [
    'what a check needs',
    at('    checks:\n      - {kind: tcp, port: 1}\n'),
    /^4:9 services.shop.checks.0.host: found nothing, expected a host name or an address/,
  ],
  [
    'a bad form of a freeze window',
    at('    checks:\n      - {kind: freeze, windows: [{reason: a, cron: never, duration: 1h}]}\n'),
    /^4:52 services.shop.checks.0.windows.0.cron: found the string "never", expected a cron pattern of five fields/,
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
    /^5:9 services.shop.checks.1.name: a check named artifact already exists/,
  ],
  [
    'a password of Redis that would cross the network in clear',
    at('    checks:\n      - {kind: redis, host: db, passwordEnv: DB}\n'),
    /^4:9 services.shop.checks.0.isTls: the password would be sent in plain text: set isTls/,
  ],
  [
    'a password that stands in the file, which is not repeated',
    at('    checks:\n      - {kind: redis, host: db, password: hunter-2}\n'),
    /^4:33 services.shop.checks.0.password: unknown key "password", expected (?!.*hunter).* \| did you mean "passwordEnv"\?$/,
  ],
  [
    'a plan that cannot work',
    at('    deploy: {steps: [{weight: 50, hold: 1m}, {weight: 10, hold: 1m}]}\n'),
    /^3:13 services.shop.deploy: step 2 has 10%, less than the 50% before it/,
  ],
  [
    'two services at one port',
    'services:\n  a: {listen: {port: 80}}\n  b: {listen: {port: 80}}\n',
    /^3:22 services.b.listen.port: found 127.0.0.1:80, where a already listens/,
  ],
  [
    'a mistake in an override',
    'environments: {production: {services: {a: {grace: soon}}}}\n',
    /^1:51 environments.production.services.a.grace: found the string "soon", expected a duration/,
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
