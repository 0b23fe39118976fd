import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { CallServer, startHttpServer, type HttpServer } from '../../src/adapters/transports/index.ts'
import { contract, maxMessageBytes } from '../../src/contract/index.ts'
import { Disposables, silentLog } from '../../src/engine/core/index.ts'
import { scriptedEngine } from '../support/scripted-engine.ts'

const token = 'the-launch-token'
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
      context: { role: 'admin', actor: 'test' },
      health: {
        readiness: () => ({
          ready: isReady,
          body: { failed: isReady ? [] : [{ name: 'telemetry database' }] },
        }),
        metricsJson: () => ({ healthScore: 100 }),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', body: 'x 1\n' }),
      },
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
const chartInput = { hostId: 'local', seriesIds: [0], fromMs: 0, toMs: 10 }

describe('who may come in', () => {
  it.each(['/api/v1/hosts', '/api/openapi.json', '/api/docs', '/api/live', '/api/calls'])(
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

  it('turns the token of the printed address into a strict cookie and takes it out of the address', async () => {
    const answer = await get(`/overview?token=${token}`)
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe('/overview')
    const cookie = String(answer.headers['set-cookie'])
    expect(cookie).toMatch(/HttpOnly/)
    expect(cookie).toMatch(/SameSite=Strict/)
    const value = cookie.split(';')[0] ?? ''
    expect((await get('/api/v1/hosts', { cookie: value })).statusCode).toBe(200)
  })

  it('gives no cookie for a wrong token', async () => {
    expect((await get('/?token=wrong')).headers['set-cookie']).toBeUndefined()
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

  it('serves the page for every view and nothing outside the bundle', async () => {
    for (const url of ['/', '/overview', '/host/local', '/settings']) {
      expect((await get(url)).body).toContain('<title>screens</title>')
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

  it('answers an unknown procedure and an unknown path with NOT_FOUND', async () => {
    expect((await get('/api/v1/nothing', bearer)).json()).toMatchObject({ code: 'NOT_FOUND' })
    expect((await get('/nothing', bearer)).json()).toMatchObject({ code: 'NOT_FOUND' })
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
