import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Disposables, seededRng, silentLog } from '../../src/base/index.ts'
import {
  CallServer,
  Sessions,
  startHttpServer,
  type HttpServer,
} from '../../src/adapters/transports/index.ts'
import {
  contract,
  launchTokenIn,
  maxMessageBytes,
  operator,
  socketProtocols,
} from '../../src/contract/index.ts'
import { proveSession, type ProofRequest } from '../../src/renderer/connection/session-proof.ts'
import { VirtualClock } from '../support/clock.ts'
import { scriptedEngine } from '../support/scripted-engine.ts'

const token = 'the-access-token'
const clock = new VirtualClock()
const sessions = new Sessions({ clock, rng: seededRng(1) })
let held: Disposables
let http: HttpServer
let isReady = true

beforeAll(async () => {
  held = new Disposables()
  const screens = await mkdtemp(join(tmpdir(), 'pilothouse-screens-'))
  held.defer(() => rm(screens, { recursive: true }))
  await writeFile(join(screens, 'index.html'), '<!doctype html><title>screens</title>')
  await writeFile(join(screens, 'main.js'), 'export {}')
  const { engine } = scriptedEngine()
  held.use(engine)
  http = held.use(
    await startHttpServer({
      address: '127.0.0.1',
      port: 0,
      token,
      sessions,
      allowedHosts: ['ops.example'],
      screens,
      version: '1.2.3',
      calls: new CallServer(engine.router, silentLog),
      live: {
        store: engine.live,
        feed: engine.feed,
        clock: engine.parts.clock,
        epoch: 'e',
        version: '1.2.3',
      },
      context: { principal: operator('test') },
      health: {
        readiness: () => ({
          ready: isReady,
          body: { failed: isReady ? [] : [{ name: 'telemetry database' }] },
        }),
        liveness: () => ({ status: 'alive' }),
        metricsJson: () => ({ healthScore: 100 }),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', body: 'x 1\n' }),
      },
      refused: () => undefined,
      log: silentLog,
    }),
  )
  engine.start()
})
afterAll(() => held[Symbol.asyncDispose]())

type Headers = Record<string, string>
const get = (url: string, headers: Headers = {}) =>
  http.fastify.inject({ url, headers: { host: `127.0.0.1:${http.port}`, ...headers } })
const bearer = { authorization: `Bearer ${token}` }
const post = (url: string, payload: string, headers: Headers = {}) =>
  http.fastify.inject({
    method: 'POST',
    url,
    payload,
    headers: { host: `127.0.0.1:${http.port}`, 'content-type': 'application/json', ...bearer, ...headers },
  })
const signIn = (token: unknown, headers: Headers = {}) =>
  post('/session', JSON.stringify({ token }), { authorization: '', ...headers })
const prove = (session: string, other: Partial<ProofRequest> = {}) =>
  proveSession({
    session,
    host: `127.0.0.1:${http.port}`,
    fetch: (path, init) => fetch(http.origin + path, init),
    ...other,
  })
const idOf = (session: string) => {
  const digest = (data: string | Buffer) => createHash('sha256').update(data).digest()
  return digest(digest(session)).toString('hex')
}
const chartInput = { hostId: 'local', seriesIds: [0], fromMs: 0, toMs: 10 }

describe('who may come in', () => {
  it.each(['/api/v1/hosts', '/session', '/api/live', '/api/calls'])(
    'asks for the token at %s',
    async (url) => {
      const answer = await get(url)
      expect(answer.statusCode).toBe(401)
      expect(answer.json()).toMatchObject({ code: 'UNAUTHENTICATED', action: expect.any(String) as string })
    },
  )

  it('takes the token as bearer', async () => {
    expect((await get('/api/v1/hosts', bearer)).statusCode).toBe(200)
  })

  it('does not take a wrong token, nor a part of it, nor an empty one', async () => {
    for (const wrong of ['nope', token.slice(0, -1), ` ${token}`, '']) {
      expect((await get('/api/v1/hosts', { authorization: `Bearer ${wrong}` })).statusCode).toBe(401)
    }
  })

  it('exchanges the launch token of a printed address once for a session, and sets no cookie', async () => {
    const token = launchTokenIn(new URL(http.launchUrl()).hash)
    const answer = await signIn(token)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers['cache-control']).toBe('no-store')
    const { session } = answer.json<{ session: string }>()
    expect((await get('/api/v1/hosts', { authorization: `Bearer ${session}` })).statusCode).toBe(200)
    expect((await signIn(token)).statusCode).toBe(401)
  })

  it('keeps the launch token where a browser sends it to nobody', () => {
    const url = new URL(http.launchUrl())
    expect(url.pathname + url.search).toBe('/')
    expect(launchTokenIn(url.hash)).toMatch(/^[0-9a-f]{64}$/)
  })

  it('opens nothing for a cookie, whatever it holds: browsers send cookies to every port', async () => {
    const session = sessions.open()
    for (const value of [token, session, sessions.mintLaunchToken()])
      for (const name of [`pilothouse_${http.port}`, 'pilothouse.session', 'session'])
        expect((await get('/api/v1/hosts', { cookie: `${name}=${value}` })).statusCode).toBe(401)
  })

  it('takes the access token from a person who types it in', async () => {
    expect((await signIn(token)).statusCode).toBe(200)
  })

  it.each([['wrong'], [''], [7], [undefined], ['x'.repeat(5000)]])(
    'gives no session for %o',
    async (wrong) => {
      const answer = await signIn(wrong)
      expect(answer.statusCode).toBeGreaterThanOrEqual(400)
      expect(answer.body).not.toContain('session"')
    },
  )

  it('gives a session to no page of another site', async () => {
    const token = launchTokenIn(new URL(http.launchUrl()).hash)
    expect((await signIn(token, { origin: 'https://evil.example' })).statusCode).toBe(403)
    expect((await signIn(token, { host: 'evil.example' })).statusCode).toBe(403)
    expect((await signIn(token)).statusCode).toBe(200)
  })

  it('mints launch tokens for who is signed in alone, and tells when one was used', async () => {
    expect((await post('/session/launch', '{}', { authorization: '' })).statusCode).toBe(401)
    const minted = (await post('/session/launch', '{}')).json<{ token: string }>()
    const isPending = async () =>
      (await post('/session/launch/state', JSON.stringify(minted))).json<{ isPending: boolean }>().isPending
    expect(await isPending()).toBe(true)
    await signIn(minted.token)
    expect(await isPending()).toBe(false)
  })

  it('takes the proof of a session as a WebSocket subprotocol, and does not send it back', async () => {
    const proven = await prove(sessions.open())
    if ('failure' in proven) throw new Error(proven.failure)
    const { status, protocol } = await upgradeWith(socketProtocols(proven.proof))
    expect({ status, protocol }).toEqual({ status: 101, protocol: 'pilothouse' })
    for (const wrong of ['f'.repeat(64), proven.proof.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))])
      expect((await upgradeWith(socketProtocols(wrong))).status).toBe(401)
  })

  it('proves that it knows a session to a page that reaches it by a name of its own, and to no other', async () => {
    const session = sessions.open()
    expect(await prove(session, { host: 'ops.example' })).toHaveProperty('proof')
    expect(await prove(session, { host: '127.0.0.1:1' })).toEqual({ failure: 'refused' })
    expect(await prove('of nobody')).toEqual({ failure: 'ended' })
  })

  it('gets nothing from a page whose session it does not know, whatever it answers', async () => {
    const session = sessions.open()
    const zeros = '0'.repeat(64)
    const recorded = (
      await get(`/session/challenge?id=${idOf(session)}&host=127.0.0.1:${http.port}&nonce=${zeros}`)
    ).body
    expect(JSON.parse(recorded)).toHaveProperty('proof')
    for (const answer of ['{}', '', `{"challenge":"x","proof":"${zeros}"}`, recorded]) {
      const asked: string[] = []
      const fromThief = (path: string, init: RequestInit) => {
        asked.push(`${path} ${JSON.stringify(init.headers ?? {})}`)
        return Promise.resolve(new Response(answer))
      }
      const proven = await prove(session, { fetch: fromThief })
      expect(['stranger', 'unreachable']).toContain('failure' in proven && proven.failure)
      expect(asked).toHaveLength(1)
      expect(asked.join()).not.toContain(session)
    }
  })

  it('is not believed by a page that reaches it through a server at another address', async () => {
    const session = sessions.open()
    const relay = (path: string, init: RequestInit) =>
      fetch(http.origin + path.replace('127.0.0.1%3A9999', `127.0.0.1%3A${http.port}`), init)
    expect(await prove(session, { host: '127.0.0.1:9999', fetch: relay })).toEqual({ failure: 'stranger' })
  })

  it.each(['evil.example', '127.0.0.1:1', ''])(
    'refuses Host "%s", so that a rebound name reaches nothing',
    async (host) => {
      for (const url of ['/', '/health/liveness', '/api/v1/hosts', '/metrics', '/main.js', '/nowhere']) {
        expect((await get(url, { host, ...bearer })).statusCode).toBe(403)
      }
    },
  )

  it('takes a host that was allowed by configuration', async () => {
    expect((await get('/api/v1/hosts', { host: 'OPS.example', ...bearer })).statusCode).toBe(200)
  })

  it.each(['https://evil.example', 'null', 'file://'])(
    'refuses Origin %s even with the token',
    async (origin) => {
      expect((await get('/api/v1/hosts', { origin, ...bearer })).statusCode).toBe(403)
    },
  )

  it('refuses a WebSocket from another origin, without a token, and of another host', async () => {
    const attempts: Headers[] = [
      { origin: 'https://evil.example', ...bearer },
      {},
      { host: 'evil.example', ...bearer },
    ]
    for (const headers of attempts) await expect(upgrade(headers)).rejects.toThrow(/40[13]/)
    await expect(upgrade({ origin: `http://127.0.0.1:${http.port}`, ...bearer })).resolves.toBe('open')
  })
})

describe('a definition of a service', () => {
  it.each([5000, 100_000])('nested %i levels deep is refused as a mistake', async (levels) => {
    for (const value of [
      `${'['.repeat(levels)}${']'.repeat(levels)}`,
      `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
    ]) {
      for (const key of ['releases', 'deploy']) {
        const answer = await http.fastify.inject({
          method: 'PUT',
          url: '/api/v1/services/deep/declaration',
          payload: `{"definition": {"${key}": ${value}}, "why": ""}`,
          headers: { host: `127.0.0.1:${http.port}`, 'content-type': 'application/json', ...bearer },
        })
        const message = expect.stringContaining(levels > 5000 ? '' : 'nested too deeply') as string
        expect(answer.json()).toMatchObject({ code: 'BAD_INPUT', message })
      }
    }
    expect((await get('/health/liveness')).statusCode).toBe(200)
  })
})

describe('what is served', () => {
  it('sends the strict policy with every kind of answer', async () => {
    for (const url of ['/', '/main.js', '/health/liveness', '/api/v1/hosts', '/nowhere']) {
      const { headers } = await get(url, bearer)
      const policy = String(headers['content-security-policy'])
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("script-src 'self'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toContain('unsafe')
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
    }
  })

  it('serves the page for every view, for a person at any other address, and nothing outside the bundle', async () => {
    for (const url of ['/', '/overview', '/host/local', '/settings']) {
      expect((await get(url)).body).toContain('<title>screens</title>')
    }
    for (const url of ['/nonsense', '/nonsense/at/all', '/assets/gone']) {
      const answer = await get(url, { accept: 'text/html,*/*' })
      expect(answer.statusCode).toBe(404)
      expect(answer.body).toContain('<title>screens</title>')
    }
    for (const url of ['/../package.json', '/..%2fpackage.json', '/%2e%2e/%2e%2e/etc/passwd', '/.env']) {
      expect((await get(url)).statusCode).toBe(404)
    }
  })

  it('describes every procedure of the contract and shows it on a page without scripts', async () => {
    const document = (await get('/api/openapi.json', bearer)).json<{ paths: Record<string, object> }>()
    const described = Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length
    expect(described).toBe(Object.values(contract).flatMap((group) => Object.keys(group)).length)
    const page = await get('/api/docs', bearer)
    expect(page.body).toContain('/telemetry/chart')
    expect(page.body).not.toMatch(/<script|style=/)
  })

  it('gives columns over HTTP as numbers, null where nothing was measured', async () => {
    const answer = await post('/api/v1/telemetry/chart', JSON.stringify(chartInput))
    expect(answer.json<{ series: { min: unknown }[] }>().series[0]?.min).toEqual([0.1, null, 0])
  })
})

describe('bad requests', () => {
  it.each([
    ['broken JSON', '{"hostId":', 400, 'BAD_INPUT'],
    ['a wrong type', '{"hostId":7}', 400, 'BAD_INPUT'],
    ['an unknown host', JSON.stringify({ ...chartInput, hostId: 'moon' }), 404, 'NOT_FOUND'],
    ['a range that ends before it begins', JSON.stringify({ ...chartInput, toMs: -1 }), 400, 'BAD_INPUT'],
    ['a body over 1 MiB', ' '.repeat(maxMessageBytes + 1), 413, 'TOO_LARGE'],
  ])('answers %s with a coded error', async (_what, body, status, code) => {
    const answer = await post('/api/v1/telemetry/chart', body)
    expect(answer.statusCode).toBe(status)
    expect(answer.json()).toMatchObject({ code, message: expect.stringMatching(/./) as string })
  })

  it.each(['/%ff', '/%', '/overview/%zz?x=%ff', '/api/openapi.json%ff', '/a;%ff'])(
    'answers %s, which is no path, as one that does not exist: in the same form, by the same guards',
    async (url) => {
      const answer = await get(url)
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toMatchObject({ code: 'NOT_FOUND', action: expect.any(String) as string })
      expect(answer.headers).toHaveProperty('content-security-policy')
      expect((await get(url, { host: 'evil.example' })).json()).toMatchObject({ code: 'FORBIDDEN' })
      expect((await get(url, { origin: 'https://evil.example' })).json()).toMatchObject({ code: 'FORBIDDEN' })
      expect((await get(`/api/v1${url}`)).json()).toMatchObject({ code: 'UNAUTHENTICATED' })
      expect((await get(`/api/v1${url}`, bearer)).json()).toMatchObject({ code: 'NOT_FOUND' })
    },
  )

  it('answers an unknown procedure and an unknown path with NOT_FOUND', async () => {
    expect((await get('/api/v1/nothing', bearer)).json()).toMatchObject({ code: 'NOT_FOUND' })
    expect((await get('/nothing', bearer)).json()).toMatchObject({ code: 'NOT_FOUND' })
    const asPerson = { ...bearer, accept: 'text/html' }
    expect((await get('/api/v1/nothing', asPerson)).json()).toMatchObject({ code: 'NOT_FOUND' })
    expect((await get('/health/nothing', asPerson)).json()).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('health endpoints', () => {
  it('answer without a token: liveness, readiness with the failed checks by name, figures', async () => {
    expect((await get('/health/liveness')).statusCode).toBe(200)
    expect((await get('/health/readiness')).statusCode).toBe(200)
    isReady = false
    const answer = await get('/health/readiness')
    isReady = true
    expect(answer.statusCode).toBe(503)
    expect(answer.json()).toMatchObject({ failed: [{ name: 'telemetry database' }] })
    expect((await get('/health/metrics')).json()).toMatchObject({ healthScore: 100 })
    expect((await get('/metrics')).headers['content-type']).toContain('text/plain')
  })

  it('stay open to probes when other requests are limited', async () => {
    const limited: number[] = []
    for (let count = 0; count < 700; count++) limited.push((await get('/nowhere')).statusCode)
    expect(limited).toContain(429)
    expect((await get('/health/liveness')).statusCode).toBe(200)
  })
})

describe('the limits on requests', () => {
  const until429 = async (ask: () => Promise<{ statusCode: number }>) => {
    // More than a window may take on both sides of its end.
    for (let count = 0; count < 5000; count++) if ((await ask()).statusCode === 429) return
    throw new Error('it is not limited')
  }
  const rollBack = (headers: Headers = {}) => post('/api/v1/rollback', '{}', headers)

  it('are those of a token: requests without one leave an operator alone, whatever they ask for', async () => {
    await until429(() => get('/nowhere'))
    await until429(() => get('/nowhere', { authorization: 'Bearer wrong' }))
    for (let count = 0; count < 700; count++) await get('/api/v1/hosts')
    for (let count = 0; count < 200; count++) await rollBack({ authorization: 'Bearer wrong' })
    expect((await get('/api/v1/hosts', bearer)).statusCode).toBe(200)
    expect((await get('/overview', bearer)).statusCode).toBe(200)
    expect((await rollBack()).statusCode).not.toBe(429)
  })

  it('keep no page and no sign-in out because of requests for what does not exist', async () => {
    for (const url of ['/nowhere', '/session/nowhere', '/api/nowhere']) await until429(() => get(url))
    expect((await get('/')).statusCode).toBe(200)
    expect((await get('/main.js')).statusCode).toBe(200)
    expect((await signIn(token)).statusCode).toBe(200)
    expect(await prove(sessions.open())).toHaveProperty('proof')
  })

  it('keep no page from proving its session because of what others ask, or guess', async () => {
    await until429(() => signIn('a guess'))
    await until429(() => get(`/session/challenge?id=${'0'.repeat(64)}`))
    expect(await prove(sessions.open())).toHaveProperty('proof')
    expect((await get('/')).statusCode).toBe(200)
  })

  it('keep nobody from signing in with a token that holds, however many others guess', async () => {
    await until429(() => signIn('a guess'))
    await until429(() => post('/session', '{"tokens": 1}', { authorization: '' }))
    expect((await signIn('a guess')).headers).toHaveProperty('retry-after')
    expect((await signIn(token)).statusCode).toBe(200)
    expect((await signIn(launchTokenIn(new URL(http.launchUrl()).hash))).statusCode).toBe(200)
    expect((await signIn('a guess')).json()).toMatchObject({ code: 'RATE_LIMITED' })
  })

  it('include what is no path', async () => {
    await until429(() => get('/%ff'))
  })

  it('are the same for all addresses of this machine', async () => {
    const from = (remoteAddress: string) =>
      http.fastify.inject({ url: '/nowhere', remoteAddress, headers: { host: `127.0.0.1:${http.port}` } })
    await until429(() => from('127.0.0.5'))
    for (const other of ['127.0.0.6', '::1', '::ffff:127.0.0.1', '192.168.1.5'])
      expect((await from(other)).statusCode).toBe(429)
  })

  it('keep a lane free for emergencies, and one for the channels of a page', async () => {
    await until429(() => get('/api/v1/hosts', bearer))
    expect((await rollBack()).statusCode).not.toBe(429)
    await expect(upgrade(bearer)).resolves.toBe('open')
    await until429(() => rollBack())
  })
})

function upgrade(headers: Headers): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${http.port}/api/live`, { headers })
    socket.once('error', reject)
    socket.once('open', () => {
      socket.close()
      resolve('open')
    })
  })
}

function upgradeWith(protocols: string[]): Promise<{ status: number; protocol: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${http.port}/api/calls`, protocols)
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => {
      resolve({ status: statusCode, protocol: '' })
      socket.terminate()
    })
    socket.on('error', reject)
    socket.once('open', () => {
      resolve({ status: 101, protocol: socket.protocol })
      socket.close()
    })
  })
}
