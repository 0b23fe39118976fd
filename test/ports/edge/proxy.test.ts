import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { judgeLimitsSchema, type Bin } from '../../../src/contract/index.ts'
import { thresholdJudge } from '../../../src/engine/canary/index.ts'
import { freePort } from '../../support/database-servers.ts'
import { until } from '../../support/until.ts'
import { definitionOf, newKey, releaseOf, serviceName, TestService, valueOf } from '../platform.ts'
import { EdgeProcess } from './edge-process.ts'

const rawBackend = join(import.meta.dirname, 'raw-backend.mjs')

const ask = async (address: string) => {
  const response = await fetch(address)
  return { status: response.status, text: await response.text() }
}

type Sum = 'requests' | 'errors' | 'timeouts' | 'abandoned' | 'diverted' | 'unserved'

describe('the proxy of the edge', () => {
  let edge: EdgeProcess
  let shop: TestService
  const sockets: Socket[] = []
  beforeAll(async () => {
    edge = await EdgeProcess.start()
  })
  afterAll(() => edge[Symbol.asyncDispose]())
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    valueOf(await edge.target.withdraw(serviceName))
    await until('the service to have gone', async () =>
      (await edge.target.observe(serviceName)).ok ? undefined : true,
    )
  })

  const platform = () => ({
    target: edge.target,
    router: edge.router,
    killAndRestart: () => edge.end('SIGKILL'),
    [Symbol.asyncDispose]: async () => undefined,
  })

  async function serve(
    changes: Record<string, unknown> = {},
    env: Record<string, string> = {},
  ): Promise<void> {
    shop = await TestService.declare(platform(), { drainMs: 0, ...changes })
    await shop.run(releaseOf('r1', env))
    valueOf(await shop.weigh({ r1: 100 }))
  }

  const redeclare = async (changes: Record<string, unknown>) =>
    valueOf(await edge.target.declare(definitionOf({ drainMs: 0, ...changes })))

  function open(): Socket {
    const { hostname, port } = new URL(shop.address)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    sockets.push(socket)
    return socket
  }

  const get = (path: string, fields = 'Host: a') => `GET ${path} HTTP/1.1\r\n${fields}\r\n\r\n`

  /** All that comes on one connection until it closes. */
  async function all(socket: Socket): Promise<string> {
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    await once(socket, 'close')
    return text
  }

  const bins = async (): Promise<readonly Bin[]> => valueOf(await edge.router.bins(serviceName, null)).bins
  const sums = async (releaseId = 'r1') => {
    const own = (await bins()).filter((bin) => bin.releaseId === releaseId)
    const sum = (of: Sum) => own.reduce((total, bin) => total + bin[of], 0)
    return {
      requests: sum('requests'),
      errors: sum('errors'),
      timeouts: sum('timeouts'),
      abandoned: sum('abandoned'),
      diverted: sum('diverted'),
      unserved: sum('unserved'),
    }
  }
  const counted = (of: Sum, count: number, releaseId = 'r1') =>
    until(`${count} ${of}`, async () => {
      const found = await sums(releaseId)
      return found[of] >= count ? found : undefined
    })

  const hasWaited = (count = 1) =>
    until(`${count} to have waited`, async () =>
      (await bins()).some(({ inFlight, oldestInFlightMs }) => inFlight >= count && oldestInFlightMs > 300)
        ? true
        : undefined,
    )

  it('gives the client the answer of a service that refuses an upload before it has read it', async () => {
    await serve()
    const seen = new Set<number>()
    for (let i = 0; i < 20; i++) {
      const body = Buffer.alloc(4_000_000)
      seen.add((await fetch(`${shop.address}/refuse-upload`, { method: 'POST', body })).status)
    }
    expect([...seen]).toEqual([413])
    expect(await counted('requests', 20)).toMatchObject({ errors: 0, abandoned: 0 })
  })

  it.each([
    ['of a known length', 'Content-Length: 10', '0123456789', 10],
    ['in chunks', 'Transfer-Encoding: chunked', '5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n', 10],
    ['in chunks, and empty', 'Transfer-Encoding: chunked', '0\r\n\r\n', 0],
  ])('serves an upload whose body comes late: %s', async (_, framing, body, size) => {
    const keepAliveMs = 5000
    await serve({}, { KEEP_ALIVE_MS: String(keepAliveMs) })
    // The upload takes the connection of this request, which the service closes once it has been idle for a while.
    expect((await ask(shop.address)).text).toBe('r1')
    const socket = open()
    const answer = all(socket)
    socket.write(`POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${framing}\r\n\r\n`)
    await sleep(keepAliveMs + 3000)
    socket.write(body)
    expect(await answer).toMatch(new RegExp(`^HTTP/1.1 200 [^]*"size":${size}`))
    expect(await counted('requests', 2)).toMatchObject({ errors: 0, abandoned: 0 })
  })

  it('gives a client the refusal of its upload before it has sent a byte of it', async () => {
    await serve()
    const socket = open()
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.write('POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n')
    await until('the refusal', () => (text.includes('who are you?') ? true : undefined))
    expect(text).toMatch(/^HTTP\/1.1 401 /)
    socket.write(`0123456789${get('/', 'Host: a\r\nConnection: close')}`)
    await once(socket, 'close')
    expect(text).toMatch(/HTTP\/1.1 200 [^]*r1$/)
    expect(await counted('requests', 2)).toMatchObject({ errors: 0, abandoned: 0 })
  })

  it.each(['/bytes', '/bytes?stream'])('hands header fields on as they came: %s', async (path) => {
    await serve()
    const text = await all(open().end(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`))
    const latin1 = (written: string) => Buffer.from(written).toString('latin1')
    expect(text).toContain(latin1('Content-Disposition: attachment; filename="отчёт.pdf"\r\n'))
    expect(text).toContain(latin1('Location: /страница\r\n'))
    expect(text).toMatch(/X-Twice: a\r\nX-Other: 1\r\nx-twice: b\r\n/)
    const sent = latin1('X-Name: Grüße')
    const echo = await all(
      open().end(
        Buffer.from(`GET /echo HTTP/1.1\r\nHost: a\r\n${sent}\r\nConnection: close\r\n\r\n`, 'latin1'),
      ),
    )
    expect(Buffer.from(echo, 'latin1').toString()).toContain(latin1('Grüße'))
  })

  it('hands the fields of a request on as they came: bytes, order, case and duplicates', async () => {
    shop = await TestService.declare(platform(), { drainMs: 0 })
    await shop.run({
      ...releaseOf('r1'),
      artifact: { kind: 'command', argv: [process.execPath, rawBackend], env: {} },
    })
    valueOf(await shop.weigh({ r1: 100 }))
    const fields = [
      'X-Twice: 1',
      'x-OTHER: Grüße',
      'X-TWICE: 2',
      'Cookie: a="привет"',
      'cookie: b=2',
      'X-Empty: ',
      'x_underscore: 1',
      'Content-Disposition: attachment; filename="отчёт.pdf"',
    ].join('\r\n')
    const path = '/%D1%81/./a//b?q=%D0%BE|x&'
    const socket = open()
    socket.write(`GET ${path} HTTP/1.1\r\nHost: Shop.Example:80\r\n`)
    socket.write(Buffer.from('X-Latin: \xfc\xff\x80\r\n', 'latin1'))
    socket.write(`${fields}\r\nConnection: close\r\n\r\n`)
    const got = Buffer.from(await all(socket), 'latin1')
    const [, begin = '', own = ''] =
      /\r\n\r\n(GET .*?\r\n)(X-Latin.*?)\r\nx-forwarded-for/s.exec(got.toString('latin1')) ?? []
    const bytes = (latin1: string) => Buffer.from(latin1, 'latin1')
    expect(begin).toContain(`GET ${path} HTTP/1.1\r\nhost: Shop.Example:80\r\n`)
    expect(bytes(own)).toEqual(Buffer.concat([bytes('X-Latin: \xfc\xff\x80\r\n'), Buffer.from(fields)]))
  })

  it('passes on a response whose header section is far above the 16 KiB that clients of Node take', async () => {
    shop = await TestService.declare(platform(), { drainMs: 0 })
    await shop.run({
      ...releaseOf('r1'),
      artifact: { kind: 'command', argv: [process.execPath, rawBackend], env: {} },
    })
    valueOf(await shop.weigh({ r1: 100 }))
    const asked = async (text: string) => {
      const socket = open()
      socket.write(text)
      return all(socket)
    }
    for (const ask of [(path: string) => get(path, 'Host: a\r\nConnection: close'), handshake]) {
      const got = await asked(ask('/padded/200000'))
      expect(got.slice(0, got.indexOf('\r\n'))).toBe('HTTP/1.1 200 OK')
      expect(/x-padding: (x+)\r\n/i.exec(got)?.[1]).toHaveLength(200_000)
      expect((await asked(ask('/padded/30000/3000'))).match(/x-padding: x{10}\r\n/gi)).toHaveLength(3000)
    }
  })

  it.each([
    ['GET http://Shop.Example:80/a/%2e/../b?x=\'1\'&y="2"', 'GET /a/%2e/../b?x=\'1\'&y="2"', 'shop.example'],
    ['GET http://shop.example:81?q#part', 'GET /?q', 'shop.example:81'],
    ['GET http://shop.example', 'GET /', 'shop.example'],
    ['OPTIONS *', 'OPTIONS *', 'a'],
    ['OPTIONS http://shop.example', 'OPTIONS *', 'shop.example'],
    ['OPTIONS http://shop.example/', 'OPTIONS /', 'shop.example'],
    ['OPTIONS /*', 'OPTIONS /*', 'a'],
  ])('passes the target of "%s" on as it was sent', async (asked, passed, host) => {
    shop = await TestService.declare(platform(), { drainMs: 0 })
    await shop.run({
      ...releaseOf('r1'),
      artifact: { kind: 'command', argv: [process.execPath, rawBackend], env: {} },
    })
    valueOf(await shop.weigh({ r1: 100 }))
    const socket = open()
    socket.write(`${asked} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    const got = await all(socket)
    expect(got).toContain(`\r\n\r\n${passed} HTTP/1.1\r\nhost: ${host}\r\n`)
  })

  it.each(['GET *', 'GET http:///a', 'GET http://me@a/', 'GET http://a\\b/', 'GET ftp://a/'])(
    'refuses the target of "%s"',
    async (asked) => {
      await serve()
      const socket = open()
      socket.write(`${asked} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      expect(await all(socket)).toMatch(/^HTTP\/1\.1 400 /)
    },
  )

  it('gives instances requests by their weights, as they are now', async () => {
    const balancing = 'weighted_round_robin'
    shop = await TestService.declare(platform(), {
      drainMs: 0,
      routing: { balancing, instanceWeights: [3, 1] },
    })
    await shop.run(releaseOf('r1'), 2)
    valueOf(await shop.weigh({ r1: 100 }))
    const pids = (await shop.instances()).map(({ pid }) => String(pid))
    const shares = async () => {
      const served: string[] = []
      for (let i = 0; i < 40; i++) served.push(await shop.get('/pid'))
      return pids.map((pid) => served.filter((one) => one === pid).length)
    }
    expect(await shares()).toEqual([30, 10])
    await redeclare({ routing: { balancing, instanceWeights: [1, 4] } })
    expect(await shares()).toEqual([8, 32])
    await redeclare({ routing: { balancing } })
    expect(await shares()).toEqual([20, 20])
  })

  it('ends a WebSocket that is silent for longer than its limit, and none without one', async () => {
    await serve({ timeouts: { webSocketIdleMs: 300, idleMs: 300 } })
    const connectSocket = async () => {
      const socket = new WebSocket(shop.address.replace('http', 'ws'))
      socket.on('error', () => undefined)
      await once(socket, 'open')
      return socket
    }
    await once(await connectSocket(), 'close')
    await redeclare({ timeouts: { webSocketIdleMs: null, idleMs: 300, clientIdleMs: 1000 } })
    const kept = await connectSocket()
    // Longer than all other limits, by the clock of another request.
    expect((await ask(`${shop.address}/?wait=1500`)).status).toBe(200)
    const echo = once(kept, 'message')
    kept.send('still here')
    expect(String((await echo)[0])).toBe('still here')
    kept.terminate()
  })

  it('repeats what met a connection that the instance had reset while it was idle', async () => {
    await serve()
    for (let i = 0; i < 300; i++) expect((await ask(`${shop.address}/then-reset`)).text).toBe('r1')
    expect(await counted('requests', 300)).toMatchObject({ requests: 300, errors: 0, diverted: 0 })
  })

  it('counts a request whose client has given up as abandoned, and a stream that began well as answered', async () => {
    await serve()
    const hanging = open()
    hanging.write('GET /slow?wait=600000 HTTP/1.1\r\nHost: a\r\n\r\n')
    await hasWaited()
    hanging.end()
    await counted('abandoned', 1)
    const stream = open()
    stream.write('GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(stream, 'data')
    stream.resetAndDestroy()
    expect(await counted('requests', 1)).toMatchObject({ requests: 1, errors: 0, abandoned: 1 })
  })

  it('counts as timed out what it cuts because the address has changed, and ejects no instance for it', async () => {
    await serve()
    const cut = [
      get('/head?length=100&sent=50'),
      get('/head?length=100'),
      get('/slow?wait=600000'),
      handshake('/never'),
    ].map((text) => {
      const client = open()
      client.write(text)
      return all(client)
    })
    await hasWaited(4)
    await redeclare({ listen: { port: await freePort() } })
    await Promise.all(cut)
    expect(await counted('timeouts', 4)).toMatchObject({ requests: 4, timeouts: 4, abandoned: 0 })
    expect((await shop.instances())[0]?.state).toBe('healthy')
  })

  const oneAnswered = { requests: 1, errors: 0, timeouts: 0, abandoned: 0 }
  const oneAbandoned = { requests: 0, errors: 0, timeouts: 0, abandoned: 1 }
  const oneTimedOut = { requests: 1, errors: 1, timeouts: 1, abandoned: 0 }
  const oneError = { requests: 1, errors: 1, timeouts: 0, abandoned: 0 }
  describe.each([
    ['announces a length and sends no body', '?length=100', oneAbandoned, oneTimedOut],
    ['announces a length and sends half of a body', '?length=100&sent=50', oneAbandoned, oneTimedOut],
    ['streams, and sends no byte', '?', oneAbandoned, oneTimedOut],
    ['streams, and has sent a byte', '?sent=1', oneAnswered, oneAnswered],
    ['is an event stream that is quiet', '?type=text/event-stream;charset=utf-8', oneAnswered, oneAnswered],
    ['is an error without its body', '?status=500&length=100', oneError, oneError],
  ])('a response that %s', (_, query, whenLeft, whenCut) => {
    const untilCut = (path: string) => {
      const client = open()
      client.write(get(path))
      return all(client)
    }
    const latencies = async () =>
      (await bins()).flatMap(({ latencyCounts }) => latencyCounts).reduce((sum, count) => sum + count, 0)

    it('counts by what has come of it, once its client leaves', async () => {
      await serve()
      const client = open()
      client.write(get(`/head${query}`))
      await hasWaited()
      client.resetAndDestroy()
      await counted(whenLeft.abandoned > 0 ? 'abandoned' : 'requests', 1)
      expect(await sums()).toMatchObject(whenLeft)
      expect(await latencies()).toBe(0)
    })

    it('counts by what has come of it, once a limit of the edge cuts it', async () => {
      await serve({ timeouts: { idleMs: 300 } })
      await untilCut(`/head${query}`)
      expect(await counted('requests', 1)).toMatchObject(whenCut)
      expect(await latencies()).toBe(0)
    })

    it('is an error once the instance breaks it', async () => {
      await serve()
      await untilCut(`/head${query}&break`)
      expect(await counted('requests', 1)).toMatchObject(oneError)
    })
  })

  it('tells requests in progress without a response from responses that go on and from those that stopped', async () => {
    await serve({ timeouts: { idleMs: null, responseMs: 60_000 } })
    const paths = [
      '/?wait=60000',
      '/head?',
      '/head?length=100',
      '/head?sent=1',
      '/head?type=text/event-stream',
    ]
    for (const path of paths) open().write(get(path))
    // Its client reads none of it.
    open()
      .pause()
      .write(get(`/large?bytes=${100_000_000}`))
    const speaker = open()
    speaker.write(get('/stream', 'Host: a\r\nTransfer-Encoding: chunked').replace('GET', 'POST'))
    const speaking = setInterval(() => speaker.write('1\r\nx\r\n'), 300)
    try {
      const bin = await until(
        'two responses to have stopped',
        async () => (await bins()).find(({ stalled }) => stalled === 2),
        30_000,
      )
      expect(bin).toMatchObject({ inFlight: 7, longInFlight: 7, unanswered: 3 })
      expect(bin.oldestUnansweredMs).toBeGreaterThanOrEqual(10_000)
      const begun = (await bins()).reduce((sum, each) => sum + each.begun, 0)
      expect(begun).toBe(4)
    } finally {
      clearInterval(speaking)
    }
  })

  it('counts large responses as answered whose clients close right behind the last byte', async () => {
    await serve()
    const size = 2_000_000
    for (let i = 0; i < 40; i++) {
      const client = open()
      client.write(get(`/large?bytes=${size}`))
      let left = size
      client.on('data', (chunk: Buffer) => {
        left -= chunk.length
        if (left <= 0) client.destroy()
      })
      await once(client, 'close')
    }
    expect(await counted('requests', 40)).toMatchObject({ requests: 40, errors: 0, abandoned: 0 })
  })

  it.each([
    ['a candidate', false],
    ['a fix', true],
  ])('gives the judge what rolls back %s that sends heads and no bodies', async (_, isFix) => {
    await serve()
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r2: 100 }))
    const clients = Array.from({ length: 40 }, open)
    for (const client of clients) client.write(get('/head?length=100'))
    await hasWaited(40)
    for (const client of clients) client.destroy()
    await counted('abandoned', 40, 'r2')
    const { judgement } = valueOf(
      await thresholdJudge.evaluate({
        context: {
          candidateReleaseId: 'r2',
          stableReleaseId: 'r1',
          isFix,
          baseline: null,
          limits: judgeLimitsSchema.parse({}),
        },
        memory: null,
        bins: [...(await bins())],
        sourceTrouble: '',
        isJudged: true,
        hold: 1,
        step: 0,
        isEarly: true,
        instanceTrouble: '',
        weight: 100,
        exposedMs: 5000,
        atMs: 5000,
        isHoldOver: false,
      }),
    )
    expect(judgement.decision).toBe('rollback')
    expect(judgement.text).toContain('Clients gave up on all 40 requests to r2')
  })

  it('answers a client that has closed its half of the connection', async () => {
    await serve()
    const text = await all(open().end('GET /?wait=700 HTTP/1.1\r\nHost: a\r\n\r\n'))
    expect(text).toMatch(/^HTTP\/1\.1 200 .*r1/s)
  })

  it('answers a client that closes its half with the last piece of a slow upload', async () => {
    await serve()
    const upload = open()
    const answer = all(upload)
    upload.write('POST /?wait=900 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234')
    await sleep(300)
    upload.end('56789')
    expect(await answer).toMatch(/^HTTP\/1\.1 200 .*r1/s)
  })

  it('cuts a quiet stream after its idle time without an error, and not at all without one', async () => {
    await serve({ timeouts: { idleMs: 300 } })
    const text = await all(open().end('GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n'))
    expect(text).toContain('hello')
    expect(await counted('requests', 1)).toMatchObject({ errors: 0, timeouts: 0 })
    await redeclare({ timeouts: { idleMs: null, responseMs: 300 } })
    const kept = open()
    kept.write('GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(kept, 'data')
    // Longer than either limit, by the clock of another request.
    expect((await ask(`${shop.address}/?wait=60000`)).status).toBe(504)
    expect(kept.destroyed).toBe(false)
  })

  it('accepts a 100 Continue that nobody asked for, on each request of a connection', async () => {
    await serve({ limits: { maxInstanceConnections: 1 } })
    for (let i = 0; i < 3; i++)
      expect(await ask(`${shop.address}/continue`)).toEqual({ status: 200, text: 'r1' })
    const upload = await fetch(`${shop.address}/continue`, { method: 'POST', body: 'x'.repeat(100_000) })
    expect([upload.status, await upload.text()]).toEqual([200, 'r1'])
  })

  it('gives an instance no more time for its interim responses', async () => {
    await serve({ timeouts: { responseMs: 400 } })
    expect((await ask(`${shop.address}/interim`)).status).toBe(504)
    expect(await counted('timeouts', 1)).toMatchObject({ errors: 1, requests: 1 })
  })

  const statuses = (text: string) => text.match(/HTTP\/1\.1 \d+/g)?.map((line) => Number(line.slice(9)))
  const echoed = (text: string) => [...text.matchAll(/"url":"\/echo\?(\d+)"/g)].map(([, id]) => Number(id))

  it('answers pipelined requests in their order, and opens no connections to the instance for them', async () => {
    await serve()
    const ids = Array.from({ length: 1500 }, (_, id) => id)
    const last = get('/echo?1500', 'Host: a\r\nConnection: close')
    const socket = open()
    socket.write(ids.map((id) => get(`/echo?${id}`)).join('') + last + get('/echo?1501'))
    expect(echoed(await all(socket))).toEqual([...ids, 1500])
    expect(Number(await shop.get('/clients'))).toBeLessThanOrEqual(3)
    expect(await counted('requests', 1502)).toMatchObject({ requests: 1502, errors: 0, abandoned: 0 })
  })

  it('answers what a client has pipelined before it closes its half, bodies and large responses included', async () => {
    await serve()
    const post = (path: string, size: number) =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`
    const socket = open()
    socket.end(
      [
        post('/body', 20_000) + get('/echo?1') + post('/body', 200_000) + post('/stream', 3_000_000),
        get('/echo?2') + post('/body', 5) + get('/', 'Host: a\r\nUpgrade: websocket\r\nConnection: upgrade'),
      ].join(''),
    )
    const text = await all(socket)
    expect([statuses(text), echoed(text)]).toEqual([Array(7).fill(200), [1, 2]])
    expect(text.match(/"size":\d+/g)).toEqual(['"size":20000', '"size":200000', '"size":5'])
    expect(text.match(/x/g)?.length).toBeGreaterThanOrEqual(3_000_000)
  })

  it.each([
    ['no request', 'what is this\r\n\r\n', 400],
    ['no Host', get('/echo?3', 'A: b'), 400],
    ['two Hosts', get('/echo?3', 'Host: a\r\nHost: a'), 400],
    ['an unknown expectation', get('/echo?3', 'Host: a\r\nExpect: miracles'), 417],
    ['a header that is too large', get('/echo?3', `Host: a\r\nA: ${'b'.repeat(100_000)}`), 431],
  ])('answers the requests before %s, and none behind', async (_, malformed, status) => {
    await serve()
    const socket = open()
    socket.write(get('/echo?1') + get('/echo?2') + malformed + get('/echo?4'))
    const text = await all(socket)
    expect([statuses(text), echoed(text)]).toEqual([
      [200, 200, status],
      [1, 2],
    ])
    // The instance never saw what came behind.
    await ask(`${shop.address}/clients`)
    expect(await counted('requests', 3)).toMatchObject({ requests: 3, errors: 0 })
  })

  it('confirms an emergency while clients flood it with pipelined requests', async () => {
    await serve()
    const flood = Array.from({ length: 10 }, () => {
      const socket = open()
      socket.resume()
      socket.write(get('/?wait=20').repeat(1500))
      return socket
    })
    const hanging = Array.from({ length: 300 }, () => {
      const socket = open()
      socket.write(get('/?wait=600000'))
      return socket
    })
    await until('the flood', async () =>
      ((await shop.instances())[0]?.inFlight ?? 0) > 300 ? true : undefined,
    )
    const orders = [{ service: serviceName, key: newKey(), toReleaseId: 'r1' }]
    expect(valueOf(await edge.client.call('emergency', { orders }))[0]?.ok).toBe(true)
    // It did not wait for the flood to be over: 1,500 answers of 20 ms take half a minute.
    expect(flood.every(({ destroyed }) => !destroyed)).toBe(true)
    const { inFlight } = (await shop.instances())[0] as { inFlight: number }
    expect(inFlight).toBeGreaterThan(300)
    expect(inFlight).toBeLessThanOrEqual(310)
    expect(hanging.every(({ bytesRead, destroyed }) => bytesRead === 0 && !destroyed)).toBe(true)
  })

  it('lets requests wait for a busy instance, and refuses those beyond its queue', async () => {
    await serve({ limits: { maxInstanceConnections: 1, maxInstanceQueue: 1 } })
    const first = shop.get('/?wait=1500')
    await until('the first', async () => ((await shop.instances())[0]?.inFlight === 1 ? true : undefined))
    const second = shop.get('/')
    await until('the second', async () => ((await shop.instances())[0]?.inFlight === 2 ? true : undefined))
    const third = await fetch(shop.address)
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await Promise.all([first, second])).toEqual(['r1', 'r1'])
    expect(await counted('requests', 3)).toMatchObject({ errors: 1, unserved: 1 })
  })

  const handshake = (path = '/') =>
    get(path, 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13')

  it('lets handshakes wait for a busy instance, and refuses those beyond its queue, as long as WebSockets are open', async () => {
    await serve({ limits: { maxInstanceConnections: 1, maxInstanceQueue: 1 } })
    const inFlight = (count: number) =>
      until(`${count} in flight`, async () =>
        (await shop.instances())[0]?.inFlight === count ? true : undefined,
      )
    const [first, second] = [open(), open()]
    first.write(handshake())
    expect(String((await once(first, 'data'))[0])).toMatch(/^HTTP\/1\.1 101 /)
    second.write(handshake())
    await inFlight(2)
    const third = open()
    third.write(handshake())
    expect(await all(third)).toMatch(/^HTTP\/1\.1 503 .*retry-after: 1/s)
    const answer = once(second, 'data')
    first.destroy()
    expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 101 /)
    second.destroy()
    await inFlight(0)
    expect(await shop.get()).toBe('r1')
    expect(await counted('requests', 4)).toMatchObject({ errors: 1, unserved: 1, abandoned: 0 })
  })

  it('forgets a handshake whose client leaves while it waits', async () => {
    await serve({ limits: { maxInstanceConnections: 1 } })
    const [first, second] = [open(), open()]
    first.write(handshake())
    await once(first, 'data')
    second.write(handshake())
    await until('both', async () => ((await shop.instances())[0]?.inFlight === 2 ? true : undefined))
    second.destroy()
    expect(await counted('abandoned', 1)).toMatchObject({ requests: 1, errors: 0 })
    first.destroy()
    expect(await shop.get()).toBe('r1')
  })

  it('takes a handshake to another instance where the first cannot be reached', async () => {
    shop = await TestService.declare(platform(), {
      drainMs: 0,
      health: { path: '/health', intervalMs: 60_000, rise: 1, fall: 2 },
    })
    await shop.run(releaseOf('r1'), 2)
    valueOf(await shop.weigh({ r1: 100 }))
    await shop.get('/deaf')
    for (let i = 0; i < 10; i++) {
      const client = open()
      client.write(handshake())
      expect(String((await once(client, 'data'))[0])).toMatch(/^HTTP\/1\.1 101 /)
    }
    expect(await counted('requests', 11)).toMatchObject({ requests: 11, errors: 0 })
  })

  it.each([
    ['/no', { requests: 1, errors: 0, timeouts: 0 }],
    ['/no-stall', { requests: 1, errors: 1, timeouts: 1 }],
    ['/no-cut', { requests: 1, errors: 1, timeouts: 0 }],
    ['/never', { requests: 1, errors: 1, timeouts: 1 }],
  ])('counts a handshake that is not accepted as any request: %s', async (path, sum) => {
    await serve({ timeouts: { responseMs: 500 } })
    const client = open()
    client.write(handshake(path))
    await all(client)
    expect(await counted('requests', 1)).toMatchObject(sum)
  })

  it('counts what nobody can take for the release it was meant for', async () => {
    await serve()
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r2: 100 }))
    const [candidate] = await shop.instances('r2')
    await fetch(`http://127.0.0.1:${candidate?.port}/sick`)
    await until('it to be unhealthy', async () =>
      (await shop.instances('r2'))[0]?.state === 'unhealthy' ? true : undefined,
    )
    // All weight is on r2: nobody else has a share.
    expect((await fetch(shop.address)).status).toBe(503)
    expect(await counted('unserved', 1, 'r2')).toMatchObject({ requests: 1, errors: 1 })
    valueOf(await shop.weigh({ r1: 50, r2: 50 }))
    for (let i = 0; i < 20; i++) expect(await shop.get()).toBe('r1')
    const { diverted } = await counted('diverted', 1, 'r2')
    const served = await counted('requests', 20)
    expect([diverted > 0, served.errors]).toEqual([true, 0])
  })

  it('reaches an instance that listens on the IPv6 loopback only, with the Host its check asks for', async () => {
    await serve(
      { listen: { host: '::1' }, health: { path: '/health', rise: 1, host: 'shop.example' } },
      { HOST: '::1' },
    )
    expect((await ask(`${shop.address}/host`)).text).toBe('shop.example')
  })
})
