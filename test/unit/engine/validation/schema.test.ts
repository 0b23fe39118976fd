import { describe, expect, it } from 'vitest'
import { checkNameOf, checksSchema, withDefaultChecks } from '../../../../src/engine/validation/index.ts'

describe('the checks of a service', () => {
  it('have a timeout of 30 s, three retries and a weight without anybody saying so', () => {
    expect(checksSchema.parse([{ kind: 'tcp', host: 'db', port: 5432 }])).toEqual([
      { kind: 'tcp', host: 'db', port: 5432, critical: true, timeoutMs: 30_000, retries: 3 },
    ])
  })

  it('always include the built-in ones, which an entry of the same kind replaces', () => {
    const names = (written: unknown) => withDefaultChecks(checksSchema.parse(written)).map(checkNameOf)
    expect(names(undefined)).toEqual([
      'artifact',
      'reachable',
      'exclusive',
      'secrets',
      'headroom',
      'data-quality',
    ])
    expect(names([{ kind: 'secrets', name: 'leaks', allow: ['SEED'] }])).toEqual([
      'artifact',
      'reachable',
      'exclusive',
      'headroom',
      'data-quality',
      'leaks',
    ])
  })

  it.each([
    ['an unknown kind', { kind: 'telepathy' }],
    ['an unknown key', { kind: 'tcp', host: 'db', port: 5432, timeout: 3 }],
    ['a shell line in place of arguments', { kind: 'command', argv: 'npm test' }],
    ['a timeout beyond that of the run', { kind: 'artifact', timeoutMs: 300_001 }],
    [
      'a freeze that ends before it begins',
      { kind: 'freeze', windows: [{ reason: 'x', from: '2026-12-24T18:00', to: '2026-12-24T17:00' }] },
    ],
    [
      'a day that does not exist',
      { kind: 'freeze', windows: [{ reason: 'x', from: '2026-02-30T18:00', to: '2026-12-24T17:00' }] },
    ],
    [
      'a pattern that is none',
      { kind: 'freeze', windows: [{ reason: 'x', cron: '61 * * * *', durationMs: 60_000 }] },
    ],
    [
      'a time zone that is none',
      {
        kind: 'freeze',
        windows: [{ reason: 'x', cron: '0 * * * *', durationMs: 60_000, timeZone: 'Moon/Sea' }],
      },
    ],
    ['a load longer than its timeout', { kind: 'load', durationMs: 30_000 }],
    ['an address of a file', { kind: 'http', url: 'file:///etc/passwd' }],
    [
      'a rule that asks for nothing',
      { kind: 'reports', reports: [{ format: 'json', path: 'a', rules: [{ pointer: '/a' }] }] },
    ],
    ['a password in clear', { kind: 'postgresql', host: 'db', password: 'hunter-2' }],
    ['two passwords', { kind: 'postgresql', host: 'db', passwordEnv: 'DB', passwordFile: 'db' }],
    ['a password over the network in clear', { kind: 'redis', host: 'db', passwordEnv: 'DB' }],
    ['the name of a built-in check', { kind: 'tcp', name: 'secrets', host: 'db', port: 5432 }],
  ])('refuse %s', (_what, check) => {
    expect(checksSchema.safeParse([check]).success).toBe(false)
  })

  it.each([
    ['to this machine', { host: '127.0.0.1', passwordEnv: 'DB' }],
    ['under TLS', { host: 'db', isTls: true, passwordFile: 'db' }],
    ['when there is none', { host: 'db' }],
  ])('may send a password to Redis %s', (_where, more) => {
    expect(checksSchema.safeParse([{ kind: 'redis', ...more }]).success).toBe(true)
  })

  it('refuse two of one name', () => {
    const twice = { kind: 'tcp', host: 'db', port: 5432 }
    expect(checksSchema.safeParse([twice, twice]).success).toBe(false)
    expect(checksSchema.safeParse([twice, { ...twice, name: 'again' }]).success).toBe(true)
  })
})
