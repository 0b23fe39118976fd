import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { Disposables } from '../../../src/base/index.ts'
import { freePort, startPostgresql, startRedis } from '../../support/database-servers.ts'
import { peer } from '../../support/peers.ts'
import { attempt } from './attempt.ts'

let held = new Disposables()
afterEach(async () => {
  await held[Symbol.asyncDispose]()
  held = new Disposables()
})

/** Listens on a free loopback port until the test is over, its connections included. */
async function listening(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>()
  server.on('connection', (socket: net.Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  held.defer(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as net.AddressInfo).port
}

const http = (listener: RequestListener) => listening(createHttpServer(listener))
/** A peer that answers each connection with the same bytes. */
const saying = (text: string | Buffer) =>
  listening(net.createServer((socket) => void socket.on('error', () => undefined).write(text)))
const silent = () => listening(net.createServer())

describe('an HTTP dependency', () => {
  it('passes with the expected status and text, names filled in', async () => {
    const port = await http((request, response) => response.end(`you asked for ${request.url}`))
    const url = `http://127.0.0.1:${port}/{service}/{release}?key=hidden`
    expect(await attempt({ kind: 'http', url, expectText: '/shop/r2' })).toMatchObject({
      outcome: 'passed',
      text: `http://127.0.0.1:${port}/shop/r2 answered 200.`,
    })
    expect((await attempt({ kind: 'http', url, expectText: 'pong' })).outcome).toBe('failed')
  })

  it('is asked again only when it may be well in a moment', async () => {
    const port = await http((request, response) => {
      response.statusCode = Number(request.url?.slice(1))
      if (response.statusCode === 302) response.setHeader('location', '/200')
      response.end()
    })
    const at = (status: number) => attempt({ kind: 'http', url: `http://127.0.0.1:${port}/${status}` })
    expect(await at(503)).toMatchObject({ outcome: 'failed', isTransient: true })
    expect((await at(404)).isTransient).toBeUndefined()
    expect((await at(302)).text).toContain('answered 302')
  })

  it('may answer without end: only the beginning is read', async () => {
    const port = await http((_request, response) => {
      const more = () => {
        while (response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    expect((await attempt({ kind: 'http', url: `http://127.0.0.1:${port}/` })).outcome).toBe('passed')
  })

  it('that is silent is let go when the check is stopped', async () => {
    const controller = new AbortController()
    const port = await http(() => controller.abort())
    expect(
      (await attempt({ kind: 'http', url: `http://127.0.0.1:${port}/` }, { signal: controller.signal }))
        .outcome,
    ).toBe('failed')
  })
})

describe('a TCP dependency', () => {
  it('passes when somebody accepts, and may be tried again when nobody does', async () => {
    expect((await attempt({ kind: 'tcp', host: '127.0.0.1', port: await silent() })).outcome).toBe('passed')
    const port = await freePort()
    expect(await attempt({ kind: 'tcp', host: '127.0.0.1', port })).toMatchObject({
      outcome: 'failed',
      isTransient: true,
      text: `127.0.0.1:${port} cannot be reached: nothing is listening there.`,
    })
  })
})

describe('a name', () => {
  /** A name server that knows one name, and refuses to know others. */
  async function nameServer(): Promise<string> {
    const socket = createSocket('udp4')
    socket.on('message', (query, from) => {
      const question = query.subarray(12, query.indexOf(0, 12) + 5)
      const isKnown = question.includes(Buffer.from('\x04shop\x08internal', 'latin1'))
      const head = Buffer.from([
        query[0] ?? 0,
        query[1] ?? 0,
        0x81,
        isKnown ? 0x80 : 0x83,
        0,
        1,
        0,
        isKnown ? 1 : 0,
        0,
        0,
        0,
        0,
      ])
      const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3])
      socket.send(Buffer.concat([head, question, ...(isKnown ? [answer] : [])]), from.port)
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    held.defer(() => void socket.close())
    return `127.0.0.1:${socket.address().port}`
  }

  it('is asked for at the name servers that are named', async () => {
    const servers = [await nameServer()]
    const dns = (host: string, expect: string[] = []) => attempt({ kind: 'dns', host, servers, expect })
    expect(await dns('shop.internal')).toMatchObject({ outcome: 'passed', output: '10.1.2.3' })
    expect((await dns('shop.internal', ['10.1.2.3', '10.1.2.4'])).outcome).toBe('passed')
    expect((await dns('shop.internal', ['10.9.9.9'])).text).toBe(
      'shop.internal resolves to 10.1.2.3, expected one of 10.9.9.9.',
    )
    expect(await dns('cart.internal')).toMatchObject({ outcome: 'failed', isTransient: true })
  })

  it('is found as services find it when none are named', async () => {
    expect((await attempt({ kind: 'dns', host: 'localhost', expect: ['127.0.0.1'] })).outcome).toBe('passed')
  })
})

describe('a certificate', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-tls-'))
    for (const [name, days] of [
      ['short', 10],
      ['long', 100],
      ['ending', 1],
    ] as const)
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:prime256v1',
          '-nodes',
          '-days',
          String(days),
          '-subj',
          '/CN=shop.internal',
          '-addext',
          'subjectAltName=DNS:shop.internal',
          '-keyout',
          join(directory, `${name}.key`),
          '-out',
          join(directory, `${name}.pem`),
        ],
        { stdio: 'pipe' },
      )
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  async function asked(name: string, more: Record<string, unknown> = {}) {
    const [key, cert] = [
      readFileSync(join(directory, `${name}.key`)),
      readFileSync(join(directory, `${name}.pem`)),
    ]
    const port = await listening(
      tls.createServer({ key, cert }, (socket) => socket.on('error', () => undefined)),
    )
    return attempt({
      kind: 'tls',
      host: '127.0.0.1',
      port,
      serverName: 'shop.internal',
      caFile: join(directory, `${name}.pem`),
      ...more,
    })
  }

  it('is judged by the days that it has left', async () => {
    expect(await asked('long')).toMatchObject({ outcome: 'passed' })
    expect((await asked('short')).text).toMatch(/expires in 9 days\.$/)
    expect((await asked('short')).outcome).toBe('warning')
    expect((await asked('ending')).outcome).toBe('failed')
  })

  it('is refused when it is for another name, or nobody trusted stands behind it', async () => {
    expect((await asked('long', { serverName: 'cart.internal' })).text).toContain(
      'is not trusted for cart.internal',
    )
    expect((await asked('long', { caFile: undefined })).text).toContain('SELF_SIGNED')
    expect((await asked('long', { caFile: '/nowhere' })).outcome).toBe('failed')
  })

  it('of a peer that speaks no TLS is nothing', async () => {
    const port = await saying('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect((await attempt({ kind: 'tls', host: '127.0.0.1', port })).text).toContain('it does not speak TLS')
  })
})

const postgresql = peer('postgresql')
describe.skipIf(postgresql.isMissing)('PostgreSQL', () => {
  it('is asked for a session of a user in a database', async () => {
    await using server = await startPostgresql(postgresql.path)
    const asked = (more: object) =>
      attempt({ kind: 'postgresql', host: '127.0.0.1', port: server.port, ...more })
    expect((await asked({})).text).toContain('accepts a session of postgres in the database postgres')
    expect(await asked({ database: 'nowhere' })).toMatchObject({ outcome: 'failed' })
    expect((await asked({ database: 'nowhere' })).text).toContain('3D000')
    expect((await asked({ user: 'stranger' })).text).toContain('28000')
    expect((await asked({ isTlsRequired: true })).outcome).toBe('passed')
  })
})

describe.skipIf(postgresql.isMissing)('a password of PostgreSQL', () => {
  afterEach(() => vi.unstubAllEnvs())

  it.each(['scram-sha-256', 'md5'])('is proven by %s, and told by nobody', async (method) => {
    await using server = await startPostgresql(postgresql.path, { method, password: 'open sésame' })
    const asked = (more: object) =>
      attempt({ kind: 'postgresql', host: '127.0.0.1', port: server.port, ...more })
    expect((await asked({})).text).toContain('asks for a password')
    vi.stubEnv('SHOP_DATABASE', 'open sésame')
    expect((await asked({ passwordEnv: 'SHOP_DATABASE' })).text).toContain(
      'accepts a session of postgres in the database postgres',
    )
    vi.stubEnv('SHOP_DATABASE', 'close sesame')
    const refused = await asked({ passwordEnv: 'SHOP_DATABASE' })
    expect(refused).toMatchObject({ outcome: 'failed' })
    expect(refused.text).toContain('28P01')
    expect(JSON.stringify(refused)).not.toContain('close sesame')
    expect((await asked({ passwordEnv: 'NOBODY_SET_IT' })).text).toContain(
      'No secret in the variable NOBODY_SET_IT',
    )
  })

  it('is not sent in clear, whoever asks for it so', async () => {
    vi.stubEnv('SHOP_DATABASE', 'open sésame')
    const port = await saying(
      Buffer.concat([Buffer.from('N'), Buffer.from('R\0\0\0\x08\0\0\0\x03', 'latin1')]),
    )
    const config = { kind: 'postgresql', host: '127.0.0.1', port, passwordEnv: 'SHOP_DATABASE' }
    expect((await attempt(config)).text).toContain(
      'requires a password method that is not supported (method 3)',
    )
  })
})

/** A message of a PostgreSQL server that asks for something. */
function asking(request: number, content = ''): Buffer {
  const rest = Buffer.from(content)
  const head = Buffer.from('R\0\0\0\0\0\0\0\0', 'latin1')
  head.writeInt32BE(8 + rest.length, 1)
  head.writeInt32BE(request, 5)
  return Buffer.concat([head, rest])
}

describe('a server of PostgreSQL that is an impostor', () => {
  afterEach(() => vi.unstubAllEnvs())
  const noTls = Buffer.from('N')
  const lettingIn = Buffer.concat([asking(0), Buffer.from('Z\0\0\0\x05I', 'latin1')])

  /** Gives these answers, one for each thing it is told; after them it closes. */
  async function answering(...answers: ((told: string) => Buffer)[]) {
    let told = ''
    const server = net.createServer((socket) => {
      const left = [(): Buffer => noTls, ...answers]
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        told += chunk.toString('latin1')
        const next = left.shift()
        if (next) socket.write(next(chunk.toString('latin1')))
        else socket.destroy()
      })
    })
    const port = await listening(server)
    vi.stubEnv('SHOP_DATABASE', 'open-sesame')
    const verdict = await attempt({
      kind: 'postgresql',
      host: '127.0.0.1',
      port,
      passwordEnv: 'SHOP_DATABASE',
    })
    expect(told).not.toContain('open-sesame')
    expect(verdict.outcome).toBe('failed')
    return verdict.text.replace(/^.*?: /, '')
  }
  const scram = () => asking(10, 'SCRAM-SHA-256\0\0')
  const challenge = (told: string) =>
    asking(11, `r=${/r=([^,]*)$/.exec(told)?.[1]}more,s=c2FsdHNhbHQ=,i=4096`)

  it('is found out when it does not know the password', async () => {
    expect(await answering(scram, challenge, () => asking(12, 'v=AAAA'))).toBe(
      'it does not know the password itself.',
    )
    expect(await answering(scram, challenge, () => lettingIn)).toBe('it does not know the password itself.')
    expect(await answering(scram, () => lettingIn)).toBe('it did not continue SCRAM.')
  })

  it('gets no answer to what is no challenge', async () => {
    expect(await answering(scram, () => asking(11, 'r=other,s=c2FsdA==,i=1'))).toBe(
      'its challenge is not SCRAM.',
    )
    expect(await answering(scram, (told) => asking(11, `r=${/r=(.*)$/.exec(told)?.[1]}x,s=eA==,i=9e9`))).toBe(
      'it asks for 9e9 rounds of SCRAM.',
    )
    expect(await answering(scram, () => Buffer.from('R\0\0\0\x05\0', 'latin1'))).toBe(
      'it did not continue SCRAM.',
    )
  })

  it('is refused a way to log in that would tell more, or is not known', async () => {
    expect(await answering(() => asking(10, 'SCRAM-SHA-512\0\0'))).toContain('does not accept SCRAM-SHA-256')
    for (const method of [3, 7, 9])
      expect(await answering(() => asking(method))).toContain(`that is not supported (method ${method})`)
  })
})

const redis = peer('redis')
describe.skipIf(redis.isMissing)('Redis', () => {
  it('answers PING', async () => {
    await using server = await startRedis(redis.path)
    expect((await attempt({ kind: 'redis', host: '127.0.0.1', port: server.port })).text).toMatch(
      /answers\.$/,
    )
  })

  it('that asks for a password is there as well', async () => {
    await using server = await startRedis(redis.path, ['--requirepass', 'open sesame'])
    const asked = (more: object) => attempt({ kind: 'redis', host: '127.0.0.1', port: server.port, ...more })
    expect((await asked({})).text).toContain('asks for a password')
    vi.stubEnv('SHOP_CACHE', 'open sesame')
    expect((await asked({ passwordEnv: 'SHOP_CACHE' })).text).toMatch(/answers\.$/)
    expect((await asked({ passwordEnv: 'SHOP_CACHE', user: 'stranger' })).text).toContain('WRONGPASS')
    vi.stubEnv('SHOP_CACHE', 'close sesame')
    const refused = await asked({ passwordEnv: 'SHOP_CACHE' })
    expect(refused).toMatchObject({ outcome: 'failed' })
    expect(JSON.stringify(refused)).not.toContain('close sesame')
    vi.unstubAllEnvs()
  })

  it('that repeats what it was told does not make the check show the password', async () => {
    await using server = await startRedis(redis.path, ['--rename-command', 'AUTH', ''])
    vi.stubEnv('SHOP_CACHE', 'open sesame')
    const asked = { kind: 'redis', host: '127.0.0.1', port: server.port, passwordEnv: 'SHOP_CACHE' }
    expect((await attempt(asked)).text).toContain("with args beginning with: '••••••'")
    vi.unstubAllEnvs()
  })

  it('under TLS gets its password when its certificate is trusted for its name or address', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pilothouse-redis-tls-'))
    held.defer(() => rmSync(directory, { recursive: true }))
    const [key, certificate] = [join(directory, 'redis.key'), join(directory, 'redis.pem')]
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const files = ['-out', certificate, '-keyout', key]
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-days', '1', '-nodes', ...names, ...files],
      {
        stdio: 'pipe',
      },
    )
    const port = await freePort()
    const tlsOptions = ['--tls-port', `${port}`, '--tls-cert-file', certificate, '--tls-key-file', key]
    await using _server = await startRedis(redis.path, [
      '--requirepass',
      'open sesame',
      ...tlsOptions,
      '--tls-auth-clients',
      'no',
    ])
    vi.stubEnv('SHOP_CACHE', 'open sesame')
    const asked = (more: object) =>
      attempt({ kind: 'redis', host: '127.0.0.1', port, isTls: true, passwordEnv: 'SHOP_CACHE', ...more })
    expect((await asked({ caFile: certificate })).outcome).toBe('passed')
    expect((await asked({ caFile: certificate, host: 'localhost' })).outcome).toBe('passed')
    expect((await asked({})).text).toContain('self-signed')
    expect(await asked({ caFile: '/nowhere' })).toMatchObject({
      outcome: 'failed',
      text: expect.stringContaining('The file of trusted certificates cannot be read') as string,
    })
    vi.unstubAllEnvs()
  })

  it('elsewhere gets no password in clear', async () => {
    vi.stubEnv('SHOP_CACHE', 'open sesame')
    const asked = await attempt({ kind: 'redis', host: '192.0.2.1', passwordEnv: 'SHOP_CACHE' })
    expect(asked.text).toContain('would get the password in plain text: set isTls')
    vi.unstubAllEnvs()
  })
})

describe('a peer that is not what it should be', () => {
  it.each(['redis', 'postgresql'])('is no %s', async (kind) => {
    const port = await saying('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect(await attempt({ kind, host: '127.0.0.1', port })).toMatchObject({ outcome: 'failed' })
  })

  it('may have no TLS where TLS is asked for', async () => {
    const port = await saying('N')
    const config = { kind: 'postgresql', host: '127.0.0.1', port }
    expect((await attempt({ ...config, isTlsRequired: true })).text).toContain('does not offer TLS')
  })

  it('may send lengths that lie', async () => {
    const port = await saying(Buffer.from('NR\x7f\xff\xff\xff', 'latin1'))
    expect((await attempt({ kind: 'postgresql', host: '127.0.0.1', port })).text).toContain(
      'an impossible length',
    )
  })

  it('is tried again while it starts', async () => {
    const fields = Buffer.from('SFATAL\0C57P03\0Mthe database system is starting up\0\0')
    const head = Buffer.alloc(4)
    head.writeInt32BE(fields.length + 4)
    const starting = await saying(Buffer.concat([Buffer.from('NE'), head, fields]))
    expect(await attempt({ kind: 'postgresql', host: '127.0.0.1', port: starting })).toMatchObject({
      isTransient: true,
    })
    const loading = await saying('-LOADING Redis is loading the dataset in memory\r\n')
    expect(await attempt({ kind: 'redis', host: '127.0.0.1', port: loading })).toMatchObject({
      isTransient: true,
    })
  })

  it.each(['redis', 'postgresql', 'tls'])('that is silent does not hold a check of kind %s', async (kind) => {
    const controller = new AbortController()
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined)
      controller.abort()
    })
    const port = await listening(server)
    const verdict = await attempt({ kind, host: '127.0.0.1', port }, { signal: controller.signal })
    expect(verdict.outcome).toBe('failed')
  })
})
