import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Disposables, ok, seededRng, silentLog } from '../../src/base/index.ts'
import {
  CallServer,
  Sessions,
  startHttpServer,
  websocketChannel,
  type HttpServer,
} from '../../src/adapters/transports/index.ts'
import { createCallClient, encodeFrame, liveProtocolVersion, operator } from '../../src/contract/index.ts'
import { VirtualClock } from '../support/clock.ts'
import { scriptedEngine } from '../support/scripted-engine.ts'

const token = 'the-access-token'
const bearer = { authorization: `Bearer ${token}` }
/** None passes while a test runs, unless it shortens one. */
const limits = {
  connections: 6,
  pipelined: 4,
  socketsPerToken: 4,
  queuedBytes: 500_000,
  unreadBytes: 64_000_000,
  unreadMs: 120_000,
  silentMs: 30_000,
  headMs: 30_000,
  signInMs: 5000,
  lingerMs: 5000,
  lingerBytes: 8_000_000,
}
const pointCount = 100_000
const range = { hostId: 'local', seriesIds: [0], fromMs: 0, toMs: 10 }

let held: Disposables
let http: HttpServer
let clock: VirtualClock
let scripted: ReturnType<typeof scriptedEngine>
let metricsMade: number

beforeEach(() => serve())
afterEach(() => held[Symbol.asyncDispose]())

async function serve(other: Partial<typeof limits> = {}): Promise<void> {
  metricsMade = 0
  held = new Disposables()
  clock = new VirtualClock()
  scripted = scriptedEngine()
  const { engine } = scripted
  held.use(engine)
  const column = new Float64Array(pointCount).fill(0.123456789)
  engine.parts.telemetry.chart = (asked) =>
    Promise.resolve(
      ok({
        ...asked,
        stepMs: 0,
        series: [{ seriesId: 0, timesMs: column, min: column, mean: column, max: column }],
      }),
    )
  http = held.use(
    await startHttpServer({
      address: '127.0.0.1',
      port: 0,
      token,
      sessions: new Sessions({ clock, rng: seededRng(1) }),
      allowedHosts: [],
      screens: fileURLToPath(new URL('../../src/renderer', import.meta.url)),
      version: '1.2.3',
      calls: new CallServer(engine.router, silentLog),
      live: { store: engine.live, feed: engine.feed, clock, epoch: 'e', version: '1.2.3' },
      context: { principal: operator('test') },
      health: {
        liveness: () => ({}),
        readiness: () => ({ ready: true, body: {} }),
        metricsJson: () => ({}),
        metricsText: () => {
          metricsMade++
          return Promise.resolve({ contentType: 'text/plain', body: 'x 1\n' })
        },
      },
      refused: () => undefined,
      log: silentLog,
      limits: { ...limits, ...other },
    }),
  )
}

async function serveAgain(other: Partial<typeof limits>): Promise<void> {
  await held[Symbol.asyncDispose]()
  await serve(other)
}

async function openSocket(path: 'calls' | 'live'): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${http.port}/api/${path}`, { headers: bearer })
  held.defer(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

const clientOn = (socket: WebSocket) => createCallClient(websocketChannel(socket))

/** A TCP connection that says `text` at most. */
async function rawConnection(text = '', { allowHalfOpen = false } = {}): Promise<Socket> {
  const socket = connect({ port: http.port, host: '127.0.0.1', allowHalfOpen })
  held.defer(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return socket
}

const closed = (socket: Socket | WebSocket) => once(socket, 'close')
const health = () => fetch(`${http.origin}/health/liveness`)
const openConnections = () => promisify(http.fastify.server.getConnections.bind(http.fastify.server))()

/** A request, with `length` bytes of a body announced if there are more than it has. */
function request(line: string, { body = '', length = 0, headers = {} } = {}): string {
  const all = { host: `127.0.0.1:${http.port}`, 'content-type': 'application/json', ...headers }
  const size = Math.max(length, body.length)
  const lines = Object.entries(size > 0 ? { ...all, 'content-length': size } : all)
  return `${[`${line} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n${body}`
}
const chartRequest = () =>
  request('POST /api/v1/telemetry/chart', { body: JSON.stringify(range), headers: bearer })

/** What the other end has said so far. */
function heardOn(socket: Socket): { text: string } {
  const heard = { text: '' }
  socket.on('data', (data: Buffer) => (heard.text += data.toString()))
  return heard
}
const statusesIn = ({ text }: { text: string }) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)

describe('the connections of the server', () => {
  it('cost bounded memory when a client calls and reads nothing, and others are answered meanwhile', async () => {
    const deaf = await openSocket('calls')
    const calls = clientOn(deaf)
    const largest = 8 * 4 * pointCount * 3
    let most = 0
    deaf.pause()
    const over = closed(deaf)
    let isOver = false
    void over.then(() => (isOver = true))
    const other = clientOn(await openSocket('calls'))
    for (let round = 0; round < 60 && !isOver; round++) {
      calls.telemetry.chart(range).catch(() => undefined)
      await expect(other.connections.count({ hostId: 'local' })).resolves.toEqual({ established: 3 })
      most = Math.max(most, http.queuedBytes)
    }
    expect(most).toBeGreaterThan(limits.queuedBytes)
    expect(most).toBeLessThan(limits.queuedBytes + largest)
    deaf.resume()
    const [code] = (await over) as [number]
    expect([1013, 1006]).toContain(code)
    await expect(other.connections.count({ hostId: 'local' })).resolves.toEqual({ established: 3 })
    await expect.poll(() => http.queuedBytes, { timeout: 20_000 }).toBe(0)
  })

  it('are closed when a client acknowledges live state that it does not read', async () => {
    const deaf = await openSocket('live')
    deaf.pause()
    const send = (frame: object) => deaf.send(encodeFrame(frame as Parameters<typeof encodeFrame>[0]))
    send({ kind: 'hello', protocol: liveProtocolVersion })
    const over = closed(deaf)
    let isOver = false
    void over.then(() => (isOver = true))
    const text = 'x'.repeat(200_000)
    const other = clientOn(await openSocket('calls'))
    let most = 0
    for (let seq = 0; seq < 200 && !isOver; seq++) {
      scripted.engine.live.put('notices', [
        { id: `n${seq}`, atMs: 1, severity: 'info', text: `${seq} ${text}`, link: '' },
      ])
      send({ kind: 'ack', seq })
      await other.connections.count({ hostId: 'local' })
      most = Math.max(most, http.queuedBytes)
    }
    expect(most).toBeLessThan(limits.queuedBytes + 4 * text.length)
    deaf.resume()
    await over
  })

  it('are closed when more calls are under way on one than any client makes', async () => {
    scripted.engine.parts.telemetry.chart = () => new Promise(() => undefined)
    const socket = await openSocket('calls')
    const calls = clientOn(socket)
    const over = closed(socket)
    const waiting = Array.from({ length: 600 }, () => calls.telemetry.chart(range).catch(() => 'failed'))
    await over
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['failed']))
  })

  it('are so many with one token, and one more is told to come later', async () => {
    for (let count = 0; count < limits.socketsPerToken; count++) await openSocket('calls')
    const [code] = (await closed(await openSocket('calls'))) as [number]
    expect(code).toBe(1013)
  })

  it('are cut off when the other end answers no ping', async () => {
    const deaf = await openSocket('calls')
    const well = await openSocket('calls')
    deaf.pause()
    const ponged = once(well, 'ping')
    await clock.advance(limits.silentMs)
    await ponged
    await clientOn(well).connections.count({ hostId: 'local' })
    const over = closed(deaf)
    await clock.advance(limits.silentMs)
    deaf.resume()
    await over
    expect(well.readyState).toBe(WebSocket.OPEN)
  })

  it('close when nothing is asked on them in time, or half a head', async () => {
    await serveAgain({ headMs: 300 })
    const silent = await rawConnection()
    const slow = await rawConnection('GET / HTTP/1.1\r\nHost: 127')
    for (const each of [silent, slow]) each.resume()
    await Promise.all([closed(silent), closed(slow)])
  })

  it('close the one that has been silent for longest when there are too many, not one that asks', async () => {
    const silent = await Promise.all(Array.from({ length: limits.connections }, () => rawConnection()))
    for (const each of silent) each.resume()
    const first = closed(silent[0] as Socket)
    expect((await health()).status).toBe(200)
    await first
    // The time for a head would close them all together.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(silent.map(({ closed }) => closed)).toEqual([true, ...silent.slice(1).map(() => false)])
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        await rawConnection()
        return (await health()).status
      }),
    )
    expect(new Set(answers)).toEqual(new Set([200]))
  })

  it('close after an upgrade that is refused', async () => {
    const refused = await rawConnection(
      `GET /api/calls HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`,
    )
    let answer = ''
    refused.on('data', (data: Buffer) => (answer += data.toString()))
    await closed(refused)
    expect(answer).toContain('401')
  })

  it('are kept for requests with the token, not for what anybody may leave unfinished', async () => {
    const unfinished = { length: 10 }
    const atWork = await rawConnection(
      request('POST /api/v1/telemetry/chart', { ...unfinished, headers: bearer }),
    )
    for (const line of ['POST /nonsense', 'POST /api/v1/telemetry/chart', 'POST /session']) {
      for (let count = 0; count < 2 * limits.connections; count++)
        await rawConnection(request(line, unfinished))
      expect((await health()).status).toBe(200)
    }
    expect(atWork.closed).toBe(false)
  })

  it.each([
    ['POST /nonsense', '404'],
    ['POST /metrics', '404'],
    ['POST /api/v1/telemetry/chart', '401'],
    ['POST /session/launch', '401'],
  ])('close when %s is refused before its body has come', async (line, status) => {
    const connection = await rawConnection()
    const heard = heardOn(connection)
    const over = closed(connection)
    connection.write(request(line, { length: 10 }))
    await over
    expect(statusesIn(heard)).toEqual([status])
    await expect.poll(openConnections).toBe(0)
  })

  it.each([
    ['POST /nonsense', '404'],
    ['POST /api/v1/telemetry/chart', '401'],
    ['GET /metrics', '200'],
  ])(
    'say that they close when %s is answered before its body has come, and let it be read',
    async (line, status) => {
      const connection = await rawConnection()
      const failures: Error[] = []
      connection.on('error', (failure) => failures.push(failure))
      // A client that looks at the response when it has sent all.
      connection.pause()
      const over = closed(connection)
      connection.write(request(line, { length: 3_000_000 }))
      for (let count = 0; count < 30; count++) {
        if (!connection.write(Buffer.alloc(100_000))) await once(connection, 'drain')
        await health()
      }
      // Nothing behind it is served.
      connection.write(request('GET /health/liveness'))
      const heard = heardOn(connection)
      connection.resume()
      await over
      expect(failures).toEqual([])
      expect(statusesIn(heard)).toEqual([status])
      expect(heard.text.toLowerCase()).toContain('\r\nconnection: close\r\n')
    },
  )

  it.each([
    ['for as long as a client may take for a body that is refused', {}, 1000],
    ['for as much as a client may send of it', { lingerBytes: 500_000 }, 3_000_000],
  ])('are open %s, and no longer', async (_what, other, length) => {
    await serveAgain(other)
    const connection = await rawConnection('', { allowHalfOpen: true })
    const heard = heardOn(connection)
    connection.write(request('POST /nonsense', { length }))
    await expect.poll(() => statusesIn(heard)).toEqual(['404'])
    expect(await openConnections()).toBe(1)
    if (length > 500_000) connection.write(Buffer.alloc(length - 1))
    else await clock.advance(limits.lingerMs)
    await expect.poll(openConnections).toBe(0)
  })

  it.each([
    ['no HTTP', 'NONSENSE\r\n\r\n', '400'],
    ['too long a head', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`, '431'],
  ])('close with an error of the usual form for what is no request: %s', async (_what, text, status) => {
    const connection = await rawConnection()
    const heard = heardOn(connection)
    const over = closed(connection)
    connection.write(text)
    await over
    expect(statusesIn(heard)).toEqual([status])
    const body: unknown = JSON.parse(heard.text.split('\r\n\r\n')[1] ?? '')
    expect(body).toMatchObject({ code: 'BAD_INPUT', action: expect.any(String) as string, retryable: false })
  })

  it('are kept when what is refused has come as a whole', async () => {
    const connection = await rawConnection()
    const heard = heardOn(connection)
    connection.write(request('POST /nonsense', { body: '{}' }))
    await expect.poll(() => statusesIn(heard)).toEqual(['404'])
    connection.write(request('GET /health/liveness'))
    await expect.poll(() => statusesIn(heard)).toEqual(['404', '200'])
  })

  it('close when a sign-in does not come in time', async () => {
    const connection = await rawConnection(request('POST /session', { body: '{"tok', length: 20 }))
    connection.resume()
    const over = closed(connection)
    await health()
    await clock.advance(limits.signInMs)
    await over
  })

  it('close when nothing of a response is read in time', async () => {
    await serveAgain({ unreadMs: 300 })
    const deaf = await rawConnection()
    deaf.pause()
    deaf.write(chartRequest().repeat(4))
    await expect.poll(openConnections, { timeout: 20_000 }).toBe(0)
  })

  it('cost bounded memory when nobody reads responses, and others are answered meanwhile', async () => {
    await serveAgain({ unreadBytes: 8_000_000 })
    for (let count = 0; count < 5; count++) {
      const deaf = await rawConnection()
      deaf.pause()
      deaf.write(chartRequest().repeat(4))
    }
    let most = 0
    const look = async () => {
      expect((await health()).status).toBe(200)
      await clock.advance(1000)
      most = Math.max(most, http.unreadBytes)
      return openConnections()
    }
    await expect.poll(look, { timeout: 20_000 }).toBeLessThan(5)
    expect(most).toBeLessThanOrEqual(8_000_000)
  })
})

describe('requests on one connection', () => {
  /** Calls of the API that are under way, each with what answers it. */
  function heldCalls(): (() => void)[] {
    const { telemetry } = scripted.engine.parts
    const begun: (() => void)[] = []
    telemetry.chart = (asked) =>
      new Promise((resolve) => begun.push(() => resolve(ok({ ...asked, stepMs: 0, series: [] }))))
    return begun
  }

  it('are served one at a time, in their order', async () => {
    const begun = heldCalls()
    const connection = await rawConnection()
    const heard = heardOn(connection)
    connection.write(chartRequest().repeat(3))
    for (let count = 1; count <= 3; count++) {
      await expect.poll(() => begun.length).toBe(count)
      await health()
      expect(begun).toHaveLength(count)
      begun.at(-1)?.()
      await expect.poll(() => statusesIn(heard)).toHaveLength(count)
    }
    connection.write(request('GET /health/liveness'))
    await expect.poll(() => statusesIn(heard)).toEqual(['200', '200', '200', '200'])
  })

  it('are not served any more when the client has gone', async () => {
    const begun = heldCalls()
    const connection = await rawConnection(chartRequest().repeat(3))
    await expect.poll(() => begun.length).toBe(1)
    connection.destroy()
    await expect.poll(openConnections).toBe(0)
    begun[0]?.()
    await health()
    expect(begun).toHaveLength(1)
  })

  it('cut it off when more of them wait than any client sends', async () => {
    const flood = await rawConnection()
    flood.resume()
    const over = closed(flood)
    flood.write(request('GET /metrics').repeat(700))
    await over
    expect(metricsMade).toBeLessThanOrEqual(1)
    expect((await health()).status).toBe(200)
  })

  it('do not mix with the WebSocket that is asked for behind them', async () => {
    const begun = heldCalls()
    const connection = await rawConnection()
    const heard = heardOn(connection)
    const upgrade = {
      ...bearer,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': 13,
      'sec-websocket-key': `${'A'.repeat(22)}==`,
    }
    connection.write(chartRequest() + request('GET /api/calls', { headers: upgrade }))
    await expect.poll(() => begun.length).toBe(1)
    await health()
    begun[0]?.()
    await expect.poll(() => statusesIn(heard)).toEqual(['200', '404'])
  })

  it('share metrics that are made once a second', async () => {
    const metrics = async () => (await fetch(`${http.origin}/metrics`)).text()
    expect(new Set(await Promise.all(Array.from({ length: 5 }, metrics)))).toEqual(new Set(['x 1\n']))
    expect(metricsMade).toBe(1)
    await clock.advance(1000)
    await metrics()
    expect(metricsMade).toBe(2)
  })
})
