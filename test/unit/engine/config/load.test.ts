import { describe, expect, it } from 'vitest'
import { changedSettings, describeConfig } from '../../../../src/engine/config/index.ts'
import { file, loaded } from './sources.ts'

const flag = (name: string, path: string, text: string) => ({ name, path, text })

describe('a config', () => {
  it('holds safe defaults when there is no file and when the file is empty', () => {
    const { config } = loaded(null)
    expect(config.server).toEqual({
      host: '127.0.0.1',
      port: 7780,
      allowedOrigins: [],
      token: null,
    })
    expect(config.environment).toBe('development')
    expect(config.dataDirectory).toBe('/home/ada/.local/share/pilothouse')
    expect(config.telemetry.limits.memory).toEqual({ warning: 0.8, critical: 0.95 })
    for (const empty of ['', '\n', '# nothing\n', '---\n', '{}', '\ufeff'])
      expect(loaded(empty).config).toEqual(config)
  })

  it('reads durations, sizes and shares in the units people write', () => {
    const { telemetry } = loaded(
      'telemetry: {interval: 2.5s, retention: {raw: 36 h, minute: 2w, hour: 1y, size: 1.5GiB}, limits: {cpu: {warning: 70%}, disk: {warning: 0.5}}}',
    ).config
    expect(telemetry.intervalMs).toBe(2500)
    expect(telemetry.retention).toEqual({
      rawMs: 36 * 3600e3,
      minuteMs: 14 * 86400e3,
      hourMs: 365 * 86400e3,
      sizeBytesPerHost: 1.5 * 2 ** 30,
    })
    expect(telemetry.limits.cpu.warning).toBeCloseTo(0.7)
    expect(telemetry.limits.disk.warning).toBe(0.5)
  })

  it('takes a flag over a variable, a variable over an override, an override over the file', () => {
    const text = 'server: {port: 1}\nenvironments: {staging: {server: {port: 2}}}\n'
    const variables = { PILOTHOUSE_SERVER__PORT: '3' }
    const port = (more: Parameters<typeof loaded>[1]) => loaded(text, more).config.server.port
    expect(port({})).toBe(1)
    expect(port({ flags: [flag('--environment', 'environment', 'staging')] })).toBe(2)
    expect(port({ variables: { ...variables, PILOTHOUSE_ENVIRONMENT: 'staging' } })).toBe(3)
    expect(port({ variables, flags: [flag('--port', 'server.port', '4')] })).toBe(4)
  })

  it('keeps what an override does not name', () => {
    const text = `environment: production
telemetry: {limits: {cpu: {warning: 0.6}}, retention: {raw: 1d}}
environments: {production: {telemetry: {limits: {cpu: {critical: 0.9}}}}}`
    const { telemetry } = loaded(text).config
    expect(telemetry.limits.cpu).toEqual({ warning: 0.6, critical: 0.9 })
    expect(telemetry.retention.rawMs).toBe(86400e3)
  })

  it('replaces a reference to a secret as a whole', () => {
    const more = { variables: { PILOTHOUSE_SERVER__TOKEN__FILE: '/run/token' } }
    expect(loaded('server: {token: {env: TOKEN}}', more).config.server.token).toEqual({ file: '/run/token' })
  })

  it('starts relative paths where they are written, and ~ at home', () => {
    const text = 'dataDirectory: data\nserver: {token: {file: ~/token}}'
    const { config } = loaded(text)
    expect(config.dataDirectory).toBe('/etc/pilothouse/data')
    expect(config.server.token).toEqual({ file: '/home/ada/token' })
    const flags = [flag('--data-dir', 'dataDirectory', 'here')]
    expect(loaded(text, { flags }).config.dataDirectory).toBe('/work/here')
  })

  it('follows aliases', () => {
    const { config } = loaded('telemetry: {limits: {cpu: &l {warning: 0.5, critical: 0.6}, memory: *l}}')
    expect(config.telemetry.limits.memory).toEqual({ warning: 0.5, critical: 0.6 })
  })

  it('takes a section whose keys are all commented out as empty', () => {
    expect(loaded('server:\n#  port: 1\nlogging:\n  level: warn\n').config.logging.level).toBe('warn')
  })

  it('reads variables of each kind, and passes over empty ones and those of others', () => {
    const { config } = loaded(null, {
      variables: {
        PILOTHOUSE_SERVER__ALLOWED_ORIGINS: 'https://a.example, https://b.example',
        PILOTHOUSE_TELEMETRY__LIMITS__CPU__WARNING: '0.7',
        PILOTHOUSE_TELEMETRY__LIMITS__DISK__WARNING: '75%',
        PILOTHOUSE_LOGGING__LEVEL: '',
        PILOTHOUSE_CONFIG: '/elsewhere.yaml',
        PILOTHOUSE_SERVICE_HOST: '10.0.0.1',
        PILOTHOUSE_PORT: 'tcp://10.0.0.1:80',
        PILOTHOUSE_PORT_80_TCP_ADDR: '10.0.0.1',
        PATH: '/bin',
      },
    })
    expect(config.server.allowedOrigins).toEqual(['https://a.example', 'https://b.example'])
    expect(config.telemetry.limits.cpu.warning).toBe(0.7)
    expect(config.telemetry.limits.disk.warning).toBe(0.75)
    expect(config.logging.level).toBe('info')
    expect(config.server.host).toBe('127.0.0.1')
  })
})

describe('the description of a config', () => {
  const text = 'environment: staging\nserver:\n  token: {env: TOKEN}\n'
  const shown = loaded(text, {
    variables: { PILOTHOUSE_TELEMETRY__RETENTION__RAW: '2d' },
    flags: [flag('--port', 'server.port', '0')],
  })
  const setting = (path: string) => describeConfig(shown).entries.find((each) => each.path === path)

  it('names the origin of each value', () => {
    expect(setting('environment')).toMatchObject({
      value: 'staging',
      origin: `file ${file}:1:14`,
      isDefault: false,
    })
    expect(setting('server.port')).toMatchObject({ value: '0', origin: 'flag --port' })
    expect(setting('telemetry.retention.raw')).toMatchObject({
      value: '2d',
      origin: 'environment PILOTHOUSE_TELEMETRY__RETENTION__RAW',
    })
    expect(setting('logging.level')).toMatchObject({ value: 'info', origin: 'default', isDefault: true })
    expect(setting('dataDirectory')).toMatchObject({
      value: '/home/ada/.local/share/pilothouse',
      isDefault: true,
    })
  })

  it('shows of a secret only where it is kept', () => {
    expect(setting('server.token')).toMatchObject({ value: '•••••• (env TOKEN)', isSecret: true })
  })

  it('has words for every setting', () => {
    for (const { path, description } of describeConfig(shown).entries) expect(description, path).not.toBe('')
  })

  it('tells what changed between two configs, not what only moved', () => {
    const after = loaded(`# a comment\n${text}telemetry: {limits: {cpu: {warning: 60%}}}\n`, {
      variables: { PILOTHOUSE_TELEMETRY__RETENTION__RAW: '2d' },
      flags: [flag('--port', 'server.port', '0')],
    })
    expect(changedSettings(shown, after)).toEqual([
      { effect: 'live', path: 'telemetry.limits.cpu.warning', from: '0.8', to: '60%' },
    ])
  })
})
