import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
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
const limits = { connections: 6, socketsPerToken: 4, queuedBytes: 500_000, silentMs: 30_000, headMs: 300 }
const pointCount = 100_000
const range = { hostId: 'local', seriesIds: [0], fromMs: 0, toMs: 10 }

let held: Disposables
let http: HttpServer
let clock: VirtualClock
let scripted: ReturnType<typeof scriptedEngine>

beforeEach(async () => {
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
        metricsText: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
      },
      refused: () => undefined,
      log: silentLog,
      limits,
    }),
  )
})
afterEach(() => held[Symbol.asyncDispose]())

async function openSocket(path: 'calls' | 'live'): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${http.port}/api/${path}`, { headers: bearer })
  held.defer(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

const clientOn = (socket: WebSocket) => createCallClient(websocketChannel(socket))

/** A TCP connection that says `text` at most. */
async function rawConnection(text = ''): Promise<Socket> {
  const socket = connect(http.port, '127.0.0.1')
  held.defer(() => void socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return socket
}

const closed = (socket: Socket | WebSocket) => once(socket, 'close')
const health = () => fetch(`${http.origin}/health/liveness`)

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
})
