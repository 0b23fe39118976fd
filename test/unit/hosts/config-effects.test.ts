import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import {
  changedSettings,
  describeConfig,
  loadConfig,
  settings,
  unusedByDesktop,
  type LoadedConfig,
  type Setting,
} from '../../../src/engine/config/index.ts'
import { changeText } from '../../../src/engine/config/index.ts'
import { effects } from '../../../src/hosts/local-engine.ts'

const places = { workingDirectory: '/work', home: '/home/ada', dataDirectory: '/data' }

function load(written: unknown): LoadedConfig | undefined {
  const bytes = new TextEncoder().encode(stringify(written))
  const result = loadConfig({ file: { path: '/c/pilothouse.yaml', bytes }, variables: {}, flags: [], places })
  return result.ok ? result.value : undefined
}

const routing = { candidateHeader: { name: 'x', value: 'y' }, candidateCookie: { name: 'x', value: 'y' } }
const base = { services: { shop: { routing, releases: { r1: { command: ['a'] } } } } }

/** `base` with one setting. */
function written(path: string, value: unknown): object {
  const root = structuredClone(base) as Record<string, unknown>
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const section = keys.reduce<Record<string, unknown>>(
    (inside, key) => (inside[key] ??= {}) as Record<string, unknown>,
    root,
  )
  section[last] = value
  return root
}

/** What people write for settings, of which one is right for each. */
const values = [
  true,
  false,
  3,
  7,
  90,
  0.5,
  0.99,
  '30%',
  '2s',
  '5m',
  '11d',
  '200d',
  '5y',
  '70MB',
  'text',
  'example.org',
  100,
  5000,
  '900ms',
  '1MB',
  '/path',
  'localhost',
  '10.0.0.0/8',
  200,
  ['b', 'c'],
  [1, 2],
  ['10.0.0.0/8'],
  ['https://ops.example.org'],
  { env: 'TOKEN' },
  { A: 'b' },
  [{ weight: '20%', hold: '5m' }],
  [{ kind: 'tcp', host: 'db', port: 1 }],
  [{ name: 'h', when: 'before', phase: 'staging', run: { kind: 'script', argv: ['a'] } }],
]

const before = load(base) as LoadedConfig

/** The config with another value for one setting, as a person would write it. */
function changed({ path, choices }: Setting): LoadedConfig {
  for (const value of [...choices, ...values]) {
    const after = load(written(path, value))
    if (after && JSON.stringify(after.config) !== JSON.stringify(before.config)) return after
  }
  throw new Error(`none of the values here changes ${path}: add one`)
}

/** Everything a config puts into use in a running program, in the order of the calls. */
function inUse(loaded: LoadedConfig, path: string): string {
  const claims = effects.filter(({ parts }) =>
    parts.some((part) => path === part || path.startsWith(`${part}.`)),
  )
  expect(claims, `what takes ${path} into use`).toHaveLength(1)
  const calls: unknown[] = []
  const record =
    (name: string) =>
    (...values: unknown[]) =>
      void calls.push([name, values])
  const engine = {
    applyEnvironment: record('environment'),
    applySettings: record('settings'),
    configure: ({ deploy, services }: LoadedConfig['config']) => {
      calls.push([deploy, services])
      return Promise.resolve()
    },
  }
  for (const { take } of claims)
    take(loaded.config, {
      engine: engine as never,
      telemetry: { retain: record('retain') } as never,
      setLogLevel: record('level'),
      failed: record('failed'),
    })
  return JSON.stringify(calls)
}

const ofServices = before.settings.filter(({ path }) => path.startsWith('services.'))
const all = [...settings, ...ofServices]
  // What has one choice alone cannot change.
  .filter(({ choices }) => choices.length !== 1)
  .map((setting) => [setting.path, setting] as const)

describe('a setting that changes while the program runs', () => {
  it.each(all.filter(([, { needsRestart }]) => !needsRestart))(
    'is put into use at once: %s',
    (path, setting) => {
      const after = changed(setting)
      expect(inUse(after, path)).not.toBe(inUse(before, path))
      expect(describeConfig(after, { started: before }).entries).not.toContainEqual(
        expect.objectContaining({ path, effect: 'restart' }),
      )
    },
  )

  it.each(all.filter(([, { needsRestart }]) => needsRestart))(
    'is said to wait for a restart: %s',
    (path, setting) => {
      const after = changed(setting)
      const running = describeConfig(before).entries.find((entry) => entry.path === path)?.value
      expect(describeConfig(after, { started: before }).entries).toContainEqual(
        expect.objectContaining({ path, effect: 'restart', running }),
      )
      expect(changeText(changedSettings(before, after))).toContain(`After a restart: ${path}`)
      expect(effects.flatMap(({ parts }) => parts)).not.toContain(path)
    },
  )

  it('is said to mean nothing to the desktop app where it does', () => {
    const after = load({ ...base, server: { port: 8000 } }) as LoadedConfig
    const standpoint = { started: before, unused: unusedByDesktop }
    expect(describeConfig(after, standpoint).entries).toContainEqual(
      expect.objectContaining({ path: 'server.port', effect: 'unused', running: null }),
    )
    expect(changeText(changedSettings(before, after, standpoint))).toContain(
      'The desktop app does not use server.port',
    )
  })
})
