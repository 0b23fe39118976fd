import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import {
  releaseOf,
  serviceName,
  TestService,
  valueOf,
  type OpenPlatform,
  type PlatformUnderTest,
} from './platform.ts'

/** Everything the server says on one connection to these bytes, until it closes. `pieces` go one after the other. */
async function raw(address: string, ...pieces: string[]): Promise<string> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  for (const piece of pieces) socket.write(piece, 'latin1')
  await once(socket, 'close')
  return text
}

const statuses = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]))

/** What every router must withstand. */
export function hostileSuite(name: string, open: OpenPlatform): void {
  describe(`${name}, facing hostile clients`, () => {
    let platform: PlatformUnderTest
    let shop: TestService
    beforeAll(async () => {
      platform = await open()
      shop = await TestService.declare(platform, {
        limits: { maxBodyBytes: 1_000_000 },
        timeouts: { requestHeadersMs: 1000 },
      })
      await shop.run(releaseOf('r1'))
      valueOf(await shop.weigh({ r1: 100 }))
    })
    afterAll(() => platform[Symbol.asyncDispose]())

    const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'
    const cases: [string, string][] = [
      [
        'both lengths',
        `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
      ],
      [
        'two lengths',
        `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      ],
      ['two lengths in one field', `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 5\r\n\r\nhello`],
      ['a signed length', 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello'],
      ['a length that is no number', 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nhello'],
      [
        'a coding that is not last',
        `POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
      ],
      [
        'an unknown coding',
        `POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
      ],
      [
        'a coding in HTTP/1.0',
        `POST /body HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      ['a space before the colon', `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello`],
      ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: one\r\n two\r\n\r\n'],
      ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n'],
      ['a bare carriage return in a field', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rContent-Length: 5\r\n\r\n'],
      ['a zero byte in a field', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n'],
      [
        'a chunk size that is no number',
        'POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n',
      ],
      ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
      ['two Hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'],
      ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b"c\r\nConnection: close\r\n\r\n'],
      [
        'a handshake with a body',
        'GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello',
      ],
      ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a method to tunnel with', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n'],
      ['a method that echoes', 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
      ['a version that is not spoken', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
    ]
    it.each(cases)('serves nothing of a request with %s', async (_, bytes) => {
      const seen = statuses(await raw(shop.address, bytes))
      expect(seen.length).toBeLessThanOrEqual(1)
      for (const status of seen) expect(status).toBeGreaterThanOrEqual(400)
    })

    it('reads two requests that come in one piece as two', async () => {
      const one = 'GET / HTTP/1.1\r\nHost: a\r\n'
      expect(statuses(await raw(shop.address, `${one}\r\n${one}Connection: close\r\n\r\n`))).toEqual([
        200, 200,
      ])
    })

    it('refuses a header above its size or number of fields', async () => {
      const long = `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20_000)}\r\nConnection: close\r\n\r\n`
      expect(statuses(await raw(shop.address, long))).toEqual([431])
      const many = Array.from({ length: 150 }, (_, i) => `X-${i}: a\r\n`).join('')
      const text = `GET / HTTP/1.1\r\nHost: a\r\n${many}Connection: close\r\n\r\n`
      expect(statuses(await raw(shop.address, text))).toEqual([431])
    })

    it('refuses a body above its limit, whether its length is said or not', async () => {
      const said = await fetch(`${shop.address}/body`, { method: 'POST', body: Buffer.alloc(2_000_000) })
      expect(said.status).toBe(413)
      const status = await new Promise<number>((resolve, reject) => {
        const upload = request(`${shop.address}/body`, { method: 'POST' }, (response) => {
          resolve(response.statusCode ?? 0)
          upload.destroy()
        })
        upload.on('error', reject)
        upload.write(Buffer.alloc(600_000))
        upload.write(Buffer.alloc(600_000))
      })
      expect(status).toBe(413)
    })

    it('is heard by who is still sending a body that is refused', async () => {
      const body = Buffer.alloc(5_000_000)
      for (let i = 0; i < 10; i++) {
        const { status } = await fetch(`${shop.address}/body`, { method: 'POST', body })
        expect(status).toBe(413)
      }
    })

    it('cuts an exchange off whose body grows above its limit while it is answered, and serves on', async () => {
      const upload = request(`${shop.address}/stream`, { method: 'POST' })
      upload.on('error', () => undefined)
      upload.write(Buffer.alloc(600_000))
      const [response] = (await once(upload, 'response')) as [IncomingMessage]
      const closed = new Promise((resolve) => response.once('close', resolve))
      response.on('error', () => undefined).resume()
      upload.write(Buffer.alloc(600_000))
      await closed
      expect(response.complete).toBe(false)
      expect(await shop.get()).toBe('r1')
    })

    it('takes the next request on a connection after a body that was answered before it was whole', async () => {
      const { hostname, port } = new URL(shop.address)
      const socket = connect(Number(port), hostname)
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.write('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n')
      socket.write(Buffer.alloc(100_000))
      await until('an answer', () => (text.includes('who are you?') ? true : undefined))
      socket.write(Buffer.alloc(800_000))
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      await once(socket, 'close')
      expect(statuses(text)).toEqual([401, 200])
    })

    it('holds uploads that their clients broke off against no release', async () => {
      // Whole counts: the bin that is open now may get these requests, too.
      const counted = async () => {
        const { bins } = valueOf(await platform.router.bins(serviceName, null))
        const sum = (field: 'abandoned' | 'errors') => bins.reduce((total, bin) => total + bin[field], 0)
        return { abandoned: sum('abandoned'), errors: sum('errors') }
      }
      const before = await counted()
      const { hostname, port } = new URL(shop.address)
      const upload = 'POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf'
      const sockets = [upload, 'GET /slow?wait=60000 HTTP/1.1\r\nHost: a\r\n\r\n'].map((bytes) => {
        const socket = connect(Number(port), hostname)
        socket.write(bytes)
        return socket
      })
      const inFlight = async () => (await shop.instances())[0]?.inFlight
      await until('both to arrive', async () => ((await inFlight()) === 2 ? true : undefined))
      for (const socket of sockets) socket.resetAndDestroy()
      const after = await until('both to be counted', async () => {
        const now = await counted()
        // Or more: what other clients have left before is counted a moment later.
        return now.abandoned >= before.abandoned + 2 ? now : undefined
      })
      expect(after.errors).toBe(before.errors)
    })

    it('answers who offers to speak another protocol in the one it was asked in', async () => {
      const offer =
        'Host: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'
      expect(statuses(await raw(shop.address, `GET / HTTP/1.1\r\n${offer}\r\n`))).toEqual([200])
      const answer = await raw(shop.address, `POST /body HTTP/1.1\r\n${offer}Content-Length: 5\r\n\r\nhello`)
      expect(statuses(answer)).toEqual([200])
      expect(answer).toContain('"size":5')
    })

    it('closes connections that send their header drop by drop, and serves others meanwhile', async () => {
      const slow = Array.from({ length: 50 }, () =>
        raw(shop.address, 'GET / HTTP/1.1\r\n', 'Host: a\r\n', 'X-A: '),
      )
      expect(await shop.get()).toBe('r1')
      for (const text of await Promise.all(slow)) expect(statuses(text)).toEqual([408])
    })

    it('passes on nothing that is meant for one hop, and says where a request came from', async () => {
      const { hostname, port } = new URL(shop.address)
      const answer = await raw(
        shop.address,
        'GET http://shop.example/echo?q=1 HTTP/1.1\r\nHost: other\r\nConnection: close, X-Private\r\nX-Private: 1\r\n' +
          'Keep-Alive: 5\r\nTE: gzip\r\nProxy-Authorization: secret\r\nX-Forwarded-For: 192.0.2.7\r\nX-Kept: 2\r\n\r\n',
      )
      const { rawHeaders, url } = JSON.parse(/\{.*\}/s.exec(answer)?.[0] ?? '') as {
        rawHeaders: string[]
        url: string
      }
      const fields = new Map<string, string>()
      for (let i = 0; i < rawHeaders.length; i += 2)
        fields.set(rawHeaders[i]?.toLowerCase() ?? '', rawHeaders[i + 1] ?? '')
      expect(url).toBe('/echo?q=1')
      for (const name of ['x-private', 'te', 'proxy-authorization', 'upgrade'])
        expect(fields.has(name)).toBe(false)
      expect(fields.get('keep-alive')).not.toBe('5')
      expect(fields.get('host')).toBe('shop.example')
      expect(fields.get('x-kept')).toBe('2')
      expect(fields.get('x-forwarded-for')).toBe(`192.0.2.7, ${hostname}`)
      expect(fields.get('x-forwarded-proto')).toBe('http')
      expect(fields.get('forwarded')).toContain(`for=${hostname}`)
      expect(Number(port)).toBeGreaterThan(0)
    })

    it('lets no client speak in its name about where a request came from', async () => {
      const answer = await raw(
        shop.address,
        'GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX_Forwarded_For: 192.0.2.7\r\n' +
          'X-Forwarded-Host: "b\r\nX-Forwarded-Proto: gopher\r\nForwarded: for=192.0.2.7;host="open\r\n\r\n',
      )
      const { rawHeaders } = JSON.parse(/\{.*\}/s.exec(answer)?.[0] ?? '') as { rawHeaders: string[] }
      const values = (name: string) =>
        rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name)
      expect(values('x_forwarded_for')).toEqual([])
      expect(values('x-forwarded-host')).toEqual(['a'])
      expect(values('x-forwarded-proto')).toEqual(['http'])
      expect(values('forwarded')).toEqual(['for=127.0.0.1;host="a";proto=http'])
    })

    it('hands on what comes behind a body to who can take it, and to nobody else', async () => {
      const ask = (version: string, fields: string) =>
        raw(shop.address, `GET /trailers HTTP/${version}\r\nHost: a\r\n${fields}\r\n`)
      const taken = await ask('1.1', 'TE: trailers\r\nConnection: TE, close\r\n')
      expect(taken).toMatch(/\r\ntrailer: X-Sum\r\n/i)
      expect(taken).toMatch(/\r\n\r\n8\r\ntrailers\r\n0\r\nx-sum: 42\r\n\r\n$/i)
      for (const other of [
        await ask('1.1', 'Connection: close\r\n'),
        await ask('1.0', 'TE: trailers\r\nConnection: TE, close\r\n'),
      ]) {
        expect(statuses(other)).toEqual([200])
        expect(other).not.toMatch(/x-sum/i)
      }
    })

    it('asks for a body that waits to be asked for only when it is served', async () => {
      const expecting = (length: number, rest = '') =>
        `POST /body HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n${rest}`
      expect(statuses(await raw(shop.address, expecting(2_000_000)))).toEqual([413])
      expect(statuses(await raw(shop.address, expecting(5, 'hello')))).toEqual([100, 200])
      // A client of version 1.0 would take an interim response for the answer.
      const old = expecting(5, 'hello').replace('HTTP/1.1', 'HTTP/1.0')
      expect(statuses(await raw(shop.address, old))).toEqual([200])
    })

    it('drops a handshake whose client has gone before it was answered', async () => {
      const { hostname, port } = new URL(shop.address)
      const socket = connect(Number(port), hostname)
      socket.write(
        'GET /never HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
      )
      const inFlight = async () => (await shop.instances())[0]?.inFlight
      await until('it to arrive', async () => ((await inFlight()) === 1 ? true : undefined))
      socket.destroy()
      await until('it to be dropped', async () => ((await inFlight()) === 0 ? true : undefined))
    })

    it('streams both bodies, each before the other is whole', async () => {
      const body = new Readable({ read: () => undefined })
      const answered = new Promise<string[]>((resolve, reject) => {
        const pieces: string[] = []
        const exchange = request(`${shop.address}/stream`, { method: 'POST' }, (response) => {
          response.on('data', (chunk: Buffer) => {
            pieces.push(chunk.toString())
            // The next piece is sent when the one before has come back.
            body.push(pieces.length < 3 ? `piece ${pieces.length + 1}` : null)
          })
          response.on('end', () => resolve(pieces))
        })
        exchange.on('error', reject)
        exchange.flushHeaders()
        body.pipe(exchange)
      })
      body.push('piece 1')
      expect(await answered).toEqual(['piece 1', 'piece 2', 'piece 3'])
    })

    it('hands a body on whole', async () => {
      const body = Buffer.alloc(900_000, 'pilothouse')
      const response = await fetch(`${shop.address}/body`, { method: 'POST', body })
      const sha256 = createHash('sha256').update(body).digest('hex')
      expect(await response.json()).toEqual({ size: body.length, sha256 })
    })

    it('hands an answer on whatever its reason is written in', async () => {
      expect((await fetch(`${shop.address}/reason`)).status).toBe(404)
    })

    it('cuts an answer off that the instance cut off, and goes on serving', async () => {
      await expect(shop.get('/cut')).rejects.toThrow()
      expect(await shop.get()).toBe('r1')
    })

    it('drops a request whose client has gone', async () => {
      const { hostname, port } = new URL(shop.address)
      const socket = connect(Number(port), hostname)
      socket.write('GET /slow?wait=60000 HTTP/1.1\r\nHost: a\r\n\r\n')
      const inFlight = async () => (await shop.instances())[0]?.inFlight
      await until('the request to arrive', async () => ((await inFlight()) === 1 ? true : undefined))
      socket.resetAndDestroy()
      await until('the request to be dropped', async () => ((await inFlight()) === 0 ? true : undefined))
    })
  })
}
