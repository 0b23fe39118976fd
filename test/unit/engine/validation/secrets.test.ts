import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanForSecrets } from '../../../../src/engine/validation/index.ts'

const release = (more: {
  argv?: string[]
  env?: Record<string, string>
  parameters?: Record<string, string>
}) => ({
  artifact: { kind: 'command' as const, argv: more.argv ?? ['./shop'], env: more.env ?? {} },
  parameters: more.parameters ?? {},
})

// Put together here, so that no scanner takes this file for a leak.
const tokens: [string, string][] = [
  ['an AWS access key', `AKIA${'IOSFODNN7EXAMPLE'.replace(/[^A-Z2-7]/g, 'A')}`],
  ['a GitHub token', `ghp_${'a1B2c3D4e5F6'.repeat(3)}`],
  ['a private key', `-----BEGIN RSA ${'PRIVATE'} KEY-----\nMIIE`],
  ['a Stripe key', `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`],
  ['a Slack token', `xoxb-${'123456789012-abcdefABCDEF'}`],
  ['a password in an address', 'postgres://shop:hunter2@db.internal/shop'],
]

describe('the scan for secrets', () => {
  it.each(tokens)('finds %s wherever it stands and does not repeat it', (what, token) => {
    for (const where of [
      release({ argv: ['./shop', token] }),
      release({ env: { X: token } }),
      release({ parameters: { X: token } }),
    ]) {
      const verdict = scanForSecrets(where, [])
      expect(verdict.outcome).toBe('failed')
      expect(verdict.text).toContain(what)
      expect(`${verdict.text}${verdict.output}`).not.toContain(token)
    }
  })

  it('finds values under the names of secrets, in flags too', () => {
    const texts = [
      release({ env: { DATABASE_PASSWORD: 'hunter2' } }),
      release({ parameters: { apiKey: 'hunter2' } }),
      release({ argv: ['./shop', '--db-password=hunter2'] }),
      release({ argv: ['./shop', '--token', 'hunter2'] }),
    ].map((each) => scanForSecrets(each, []))
    expect(texts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed', 'failed'])
    expect(texts[2]?.text).toContain('argument 2 (--db-password)')
    expect(texts[3]?.text).toContain('argument 3 (after --token)')
    expect(JSON.stringify(texts)).not.toContain('hunter2')
  })

  it('leaves references, files, switches, digests and identifiers alone', () => {
    const harmless = release({
      argv: [
        'node',
        '/srv/shop/releases/2026-11-20T10-00/server.mjs',
        '--port',
        '{port}',
        '--max-tokens=4000',
      ],
      env: {
        DATABASE_PASSWORD: '${DATABASE_PASSWORD}',
        API_TOKEN: '/run/secrets/api-token',
        PASSWORD_FILE: '/run/secrets/password',
        USE_TOKEN: 'true',
        COMMIT: '9c5b94b1f2f64f7e8a0c3d2b1a09f8e7d6c5b4a3',
        ID: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
        URL: 'https://shop.example.org:8443/path?page=2',
      },
    })
    expect(scanForSecrets(harmless, [])).toMatchObject({ outcome: 'passed' })
  })

  it('only warns of what merely looks random, and is quiet about what is allowed', () => {
    const random = release({ env: { SEED: 'q8Zr1LxV0aWm7TnB3kYpDs5F' } })
    expect(scanForSecrets(random, []).outcome).toBe('warning')
    expect(scanForSecrets(random, ['SEED']).outcome).toBe('passed')
    expect(scanForSecrets(release({ env: { API_TOKEN: 'public' } }), ['API_TOKEN']).outcome).toBe('passed')
  })

  it('never prints a value, whatever its name and place', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9]{12,40}$/)
    fc.assert(
      fc.property(secret, fc.constantFrom('PASSWORD', 'x', 'token', 'SEED'), (value, name) => {
        const { text, output } = scanForSecrets(
          release({
            argv: ['./shop', `--${name}=${value}`, `--${name}`, value],
            env: { [name]: value, [`${value}Token`]: value },
          }),
          [],
        )
        expect(`${text}${output}`.replaceAll(`${value}Token`, '')).not.toContain(value)
      }),
    )
  })

  it('takes time linear in hostile text', () => {
    const long = 'ey'.repeat(5000)
    expect(scanForSecrets(release({ argv: Array.from({ length: 100 }, () => long) }), []).outcome).toBe(
      'passed',
    )
  })
})
