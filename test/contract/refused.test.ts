import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Disposables, seededRng, silentLog } from '../../src/base/index.ts'
import {
  CallServer,
  Sessions,
  startHttpServer,
  type HttpServer,
} from '../../src/adapters/transports/index.ts'
import { maxMessageBytes, operator } from '../../src/contract/index.ts'
import type { AuditDraft } from '../../src/engine/audit/index.ts'
import { VirtualClock } from '../support/clock.ts'
import { scriptedEngine } from '../support/scripted-engine.ts'

let held: Disposables
let http: HttpServer
let audit: AuditDraft[]

beforeEach(async () => {
  held = new Disposables()
  const { engine, audit: audited } = scriptedEngine()
  held.use(engine)
  audit = audited
  const { clock } = engine.parts
  http = held.use(
    await startHttpServer({
      address: '127.0.0.1',
      port: 0,
      token: 'the-access-token',
      sessions: new Sessions({ clock: new VirtualClock(), rng: seededRng(1) }),
      allowedHosts: [],
      screens: import.meta.dirname,
      version: '1.2.3',
      calls: new CallServer(engine.router, silentLog),
      live: { store: engine.live, feed: engine.feed, clock, epoch: 'e', version: '1.2.3' },
      context: { principal: operator('ada') },
      health: {
        readiness: () => ({ ready: true, body: {} }),
        liveness: () => ({}),
        metricsJson: () => ({}),
        metricsText: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
      },
      refused: (refusal) => void engine.noteRefusal(refusal),
      log: silentLog,
    }),
  )
  engine.start()
})
afterEach(() => held[Symbol.asyncDispose]())

const send = (method: 'GET' | 'POST', url: string, payload: string, headers: Record<string, string> = {}) =>
  http.fastify.inject({
    method,
    url,
    ...(method === 'GET' ? {} : { payload }),
    headers: {
      host: `127.0.0.1:${http.port}`,
      'content-type': 'application/json',
      authorization: 'Bearer the-access-token',
      ...headers,
    },
  })

const refusals = () =>
  audit.map(
    ({ actor, target, details }) =>
      `${actor.name} ${String(details['order'])} ${target} ${String(details['code'])}`,
  )

describe('an order over HTTP', () => {
  it.each([
    ['has no token', 'unauthenticated', 'UNAUTHENTICATED', '{}', { authorization: '' }],
    ['comes from the page of another site', 'ada', 'FORBIDDEN', '{}', { origin: 'https://evil.example' }],
    ['cannot be read', 'ada', 'BAD_INPUT', '{', {}],
    ['is too large', 'ada', 'TOO_LARGE', `"${'x'.repeat(maxMessageBytes)}"`, {}],
    ['is not valid', 'ada', 'BAD_INPUT', '{"releaseid":"r1"}', {}],
    ['names no service that exists', 'ada', 'NOT_FOUND', '{}', {}],
  ])('leaves one audit entry when it %s', async (_how, actor, code, body, headers) => {
    const answer = await send('POST', '/api/v1/services/moon/restart', body, headers)
    expect(answer.json()).toMatchObject({ code })
    await expect.poll(refusals).toEqual([`${actor} services.restart moon ${code}`])
  })

  it('leaves one when there are too many', async () => {
    // However slow the machine is: one window of the limit will take less than it is asked.
    const skip = () => send('POST', '/api/v1/deployments/d-1/skip', '{}')
    for (let statuses: number[] = []; !statuses.includes(429);)
      statuses = (await Promise.all(Array.from({ length: 200 }, skip))).map(({ statusCode }) => statusCode)
    await expect
      .poll(refusals)
      .toEqual(['ada deployments.skip d-1 NOT_FOUND', 'ada deployments.skip d-1 RATE_LIMITED'])
  })

  it('leaves none when it is only a question', async () => {
    await send('GET', '/api/v1/audit', '', { authorization: '' })
    await send('GET', '/api/v1/hosts/moon/quality', '')
    await send('POST', '/api/v1/deployments/rehearse', '{')
    expect(refusals()).toEqual([])
  })
})
