import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { Pool } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededRng } from '../../../src/base/index.ts'
import { guardsSchema, proxyLimitsSchema, timeoutsSchema } from '../../../src/contract/index.ts'
import { BinLog } from '../../../src/edge/counts/index.ts'
import { Gate } from '../../../src/edge/guards/gate.ts'
import type { Forwarding } from '../../../src/edge/proxy/attempts.ts'
import { Exchange } from '../../../src/edge/proxy/forward.ts'
import { Tunnel } from '../../../src/edge/proxy/tunnel.ts'
import { connectionsTo } from '../../../src/edge/supervisor/connections.ts'
import type { Instance } from '../../../src/edge/supervisor/instance.ts'
import { RequestSlots } from '../../../src/edge/supervisor/slots.ts'
import { VirtualClock } from '../../support/clock.ts'

const instanceWith = (id: string, pool: Pool) =>
  ({
    id,
    releaseId: 'r1',
    pool,
    slots: new RequestSlots(),
    begin: () => undefined,
    end: () => undefined,
  }) as unknown as Instance

describe('a request on its way to an instance', () => {
  const clock = new VirtualClock()
  const bins = new BinLog(clock, 'boot')
  const told: boolean[] = []
  let held: AsyncDisposableStack
  beforeEach(() => {
    held = new AsyncDisposableStack()
  })
  afterEach(() => held.disposeAsync())

  async function listening(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1')
    held.defer(() => void server.close())
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const forwardingTo = (next: Instance | null) =>
    ({
      router: { reroute: () => next },
      instanceSet: { record5xx: (_: Instance, isFailure: boolean) => void told.push(isFailure) },
      gate: new Gate(clock, seededRng(1), guardsSchema.parse({})),
      bins,
      limits: proxyLimitsSchema.parse({}),
      timeouts: timeoutsSchema.parse({}),
      clock,
    }) as unknown as Forwarding
  const origin = { peer: '127.0.0.1', isTrusted: false, client: '127.0.0.1' }

  /** The address of a proxy that sends to `first`, and to `next` what is sent again. */
  const proxying = (first: Instance, next: Instance | null) => {
    const forwarding = forwardingTo(next)
    return listening(
      createServer((request, response) => {
        new Exchange(forwarding, request, response, { path: '/', host: 'a' }, origin, first, null).start()
      }),
    )
  }

  it('goes to another one, its body whole, when the process ends that it waits to be connected to', async () => {
    const waiting = Promise.withResolvers<void>()
    const ending = new Pool('http://127.0.0.1:1', { connect: () => waiting.resolve() })
    const other = new Pool(
      await listening(
        createServer((request, response) => {
          request.pipe(response)
        }),
      ),
    )
    held.defer(() => other.destroy())
    const address = await proxying(instanceWith('a', ending), instanceWith('b', other))
    const answer = fetch(address, { method: 'POST', body: 'an order' })
    await waiting.promise
    await ending.destroy()
    const { status } = await answer
    expect([status, await (await answer).text()]).toEqual([200, 'an order'])
  })

  /** An upload by `method` to an instance that breaks the connection on its header, and one that answers beside it. */
  const uploadByHalves = async (method: 'PUT' | 'POST') => {
    let repeats = 0
    const repeated = Promise.withResolvers<void>()
    const closing = createServer((asked, response) => {
      if (asked.method === 'GET') return void response.end()
      asked.socket.destroy()
    })
    const echo = createServer((request, response) => {
      repeats += 1
      repeated.resolve()
      request.pipe(response)
    })
    const poolOf = async (server: Server) => {
      const { port } = new URL(await listening(server))
      const { pool } = connectionsTo('127.0.0.1', Number(port), () => 1000)
      held.defer(() => pool.destroy())
      return pool
    }
    const first = await poolOf(closing)
    await (await first.request({ path: '/', method: 'GET' })).body.dump()
    const address = await proxying(instanceWith('a', first), instanceWith('b', await poolOf(echo)))
    told.length = 0
    bins.close([])
    const upload = request(address, { method, headers: { 'content-length': 8 } })
    const answered = once(upload, 'response')
    upload.flushHeaders()
    await Promise.race([repeated.promise, answered])
    upload.write('an ')
    upload.end('order')
    const [response] = (await answered) as [IncomingMessage]
    const text = (await response.toArray()).join('')
    bins.close([])
    return { status: response.statusCode, text, repeats, bin: bins.since(null).bins.at(-1) }
  }

  it('goes to another one, its body whole, when its connection breaks before the body has begun', async () => {
    const { status, text, bin } = await uploadByHalves('PUT')
    expect([status, text]).toEqual([200, 'an order'])
    expect(bin).toMatchObject({ requests: 1, errors: 0, diverted: 0 })
    expect(told).toEqual([false])
  })

  it('goes to no other one when it must not be repeated: its header may have been acted on', async () => {
    const { status, repeats } = await uploadByHalves('POST')
    expect([status, repeats]).toEqual([502, 0])
  })

  it('is refused, and held against no instance and no release, when this machine has no connection left', async () => {
    told.length = 0
    bins.close([])
    const pool = new Pool('http://127.0.0.1:1', {
      connect: (_, callback) =>
        callback(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }), null),
    })
    held.defer(() => pool.destroy())
    const answer = await fetch(await proxying(instanceWith('a', pool), null))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
    bins.close([])
    expect(bins.since(null).bins.at(-1)).toMatchObject({ requests: 0, errors: 0, unserved: 0 })
    expect(told).toEqual([])
  })

  it.each(['UND_ERR_CONNECT_TIMEOUT', 'ECONNREFUSED'])(
    'goes to another instance as a handshake, too, whose connection fails with %s',
    async (code) => {
      const other = createServer()
      other.on('upgrade', (_, socket) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
      })
      const { hostname, port } = new URL(await listening(other))
      const unreachable = {
        connect: (done: (failure: Error, socket: null) => void) =>
          done(Object.assign(new Error('not connected'), { code }), null),
      }
      const reachable = {
        connect: (done: (failure: null, socket: Socket) => void) => {
          const socket = connect(Number(port), hostname, () => done(null, socket))
        },
        hold: () => ({ [Symbol.dispose]: () => undefined }),
      }
      const noPool = null as unknown as Pool
      const first = Object.assign(instanceWith('a', noPool), unreachable)
      const next = Object.assign(instanceWith('b', noPool), reachable)
      const proxy = createServer()
      proxy.on('upgrade', (request, socket, head) =>
        new Tunnel(
          forwardingTo(next),
          request,
          socket,
          head,
          { path: '/', host: 'a' },
          origin,
          first,
        ).start(),
      )
      bins.close([])
      told.length = 0
      const response = await handshakeAt(await listening(proxy))
      expect(response).toMatch(/^HTTP\/1\.1 101 /)
      bins.close([])
      expect(bins.since(null).bins.at(-1)).toMatchObject({ requests: 1, errors: 0, diverted: 0 })
      expect(told).toEqual([true, false])
    },
  )
})

/** What comes in response to a handshake, until the connection closes. */
async function handshakeAt(address: string): Promise<string> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  await once(socket, 'close')
  return text
}
