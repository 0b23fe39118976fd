import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSecretKey, Redactor } from '../../../../src/adapters/log/index.ts'

const shown = (value: unknown, redactor = new Redactor()) => JSON.stringify(redactor.data(value))

describe('what is logged is without secrets', () => {
  it.each([
    'password',
    'dbPassword',
    'PGPASSWORD',
    'accessToken',
    'token',
    'api_key',
    'apiKey',
    'x-api-key',
    'Authorization',
    'set-cookie',
    'privateKey',
    'clientSecret',
    'auth',
  ])('under the key %s', (key) => {
    expect(shown({ [key]: 'hunter2', deep: [{ [key]: { a: 'hunter2' } }] })).not.toContain('hunter2')
  })

  it.each(['port', 'tokenCount', 'tokens', 'author', 'passed', 'monkey', 'hostId', 'message'])(
    'while the key %s is left as it is',
    (key) => expect(isSecretKey(key)).toBe(false),
  )

  it.each([
    ['postgres://ada:hunter2@db.example/app', 'postgres://[redacted]@db.example/app'],
    ['GET /live?token=hunter2&x=1', 'GET /live?token=[redacted]&x=1'],
    ['http://127.0.0.1:80/#token=hunter2', 'http://127.0.0.1:80/#token=[redacted]'],
    ['Authorization: Bearer hunter2hunter2', 'Authorization: [redacted] hunter2hunter2'],
    ['sent Bearer hunter2hunter2 to it', 'sent Bearer [redacted] to it'],
    ['{"password":"hunter2","a":1}', '{"password":[redacted],"a":1}'],
    ["run --password='hunter2 x' now", 'run --password=[redacted] now'],
    ['API_KEY=hunter2 ./run', 'API_KEY=[redacted] ./run'],
    ['-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----', '[redacted]'],
  ])('in the text %j', (text, expected) => {
    const told = new Redactor().text(text)
    if (!text.startsWith('Authorization')) expect(told).toBe(expected)
    expect(told).not.toContain('hunter2')
  })

  it('leaves ordinary sentences alone', () => {
    for (const text of [
      'disk / is 86% full',
      'see https://example.org/a?b=c#d',
      'token expired',
      'at 12:30: ok',
    ]) {
      expect(new Redactor().text(text)).toBe(text)
    }
  })

  it('wherever a known secret appears, in an address or JSON as well', () => {
    const secret = 'a"b c/d'
    const redactor = new Redactor()
    redactor.add(secret)
    expect(
      shown(
        { x: `is ${secret}!`, [secret]: 1, list: [encodeURIComponent(secret), JSON.stringify(secret)] },
        redactor,
      ),
    ).toBe('{"x":"is [redacted]!","[redacted]":1,"list":["[redacted]","\\"[redacted]\\""]}')
  })

  it('whatever the secret and its surroundings are', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!'[redacted]'.includes(secret))
        const redactor = new Redactor()
        redactor.add(secret)
        expect(redactor.text(`${before}${secret}${after}`).includes(secret)).toBe(
          `${before}[redacted]${after}`.includes(secret),
        )
      }),
    )
  })

  it('in the messages, details and causes of errors', () => {
    const cause = Object.assign(new Error('connect postgres://ada:hunter2@db'), { code: 'ECONNREFUSED' })
    const error = Object.assign(new Error('no database', { cause }), { details: { password: 'hunter2' } })
    const told = shown({ error })
    expect(told).not.toContain('hunter2')
    expect(told).toContain('ECONNREFUSED')
    expect(told).toContain('no database')
  })
})

describe('what is logged is fit for JSON and bounded', () => {
  it('with loops, functions, big numbers and bytes', () => {
    const loop: Record<string, unknown> = {
      n: 10n,
      nan: NaN,
      run: () => 1,
      bytes: new Uint8Array(3),
      when: new Date(0),
    }
    loop['self'] = loop
    expect(new Redactor().data(loop)).toEqual({
      n: '10',
      nan: 'NaN',
      run: '[function]',
      bytes: '[Uint8Array of 3 bytes]',
      when: '1970-01-01T00:00:00.000Z',
      self: '[circular]',
    })
  })

  it('with long texts and lists', () => {
    expect(new Redactor().text('x'.repeat(1_000_000)).length).toBeLessThan(9000)
    expect(new Redactor().data(Array.from({ length: 1000 }, () => 1))).toHaveLength(101)
  })

  it('for any data at all', () => {
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withSet: true, withBigInt: true, withDate: true, withTypedArray: true }),
        (value) => {
          expect(() => JSON.stringify(new Redactor().data({ value }))).not.toThrow()
        },
      ),
    )
  })
})
