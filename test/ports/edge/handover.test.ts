import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { connect } from 'node:net'
import WebSocket from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '../../../src/base/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { edgeKeeper, ensureEdge } from '../../../src/hosts/edge/index.ts'
import { ask, Load } from '../../support/load.ts'
import { until } from '../../support/until.ts'
import { definitionOf, releaseOf, serviceName, TestService, valueOf } from '../platform.ts'
import { EdgeProcess } from './edge-process.ts'

const entry = join(import.meta.dirname, '../../../src/hosts/edge/main.ts')
const program = { command: process.execPath, args: [entry] }

/** Clients that ask one request after the other, each on a connection of its own, until stopped. */
class NewConnections {
  readonly failures: string[] = []
  answered = 0
  #isStopped = false
  readonly #done: Promise<unknown>

  constructor(address: string, clients: number) {
    const agent = new Agent({ keepAlive: false })
    const client = async () => {
      while (!this.#isStopped) {
        await ask(address, agent).then(
          ({ status }) => (status === 200 ? (this.answered += 1) : this.failures.push(String(status))),
          (failure: unknown) => this.failures.push(String(failure)),
        )
      }
    }
    this.#done = Promise.all(Array.from({ length: clients }, client))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
  }
}

describe.skipIf(process.platform === 'win32')('an edge that hands over to another process', () => {
  let edge: EdgeProcess
  let shop: TestService
  beforeEach(async () => {
    edge = await EdgeProcess.start()
    const platform = { target: edge.target, router: edge.router }
    shop = await TestService.declare({
      ...platform,
      killAndRestart: () => edge.end('SIGKILL'),
      [Symbol.asyncDispose]: async () => undefined,
    })
    await shop.run(releaseOf('r1'), 2)
    valueOf(await shop.weigh({ r1: 100 }))
  })
  afterEach(() => edge[Symbol.asyncDispose]())

  const status = async () => valueOf(await edge.client.call('status', {}))
  const handOver = async () => valueOf(await edge.client.call('handover', program))

  it('loses no request, on kept and new connections, under way and idle, twice in a row', async () => {
    const before = await status()
    const instances = (await shop.instances()).map(({ pid }) => pid)
    const kept = new Load(shop.address, 24)
    const fresh = new NewConnections(shop.address, 8)
    const socket = new WebSocket(shop.address.replace('http', 'ws'))
    await once(socket, 'open')
    for (let round = 0; round < 2; round++) {
      const asked = kept.answered
      await until('load', () => (kept.answered > asked + 200 ? true : undefined))
      const slow = shop.get('/slow?wait=2000')
      // An upload that is half sent when the edges change.
      const upload = request(`${shop.address}/body`, { method: 'POST' })
      upload.write(Buffer.alloc(100_000, 'a'))
      const { pid } = await handOver()
      expect((await status()).pid).toBe(pid)
      upload.end(Buffer.alloc(100_000, 'b'))
      const [answer] = (await once(upload, 'response')) as [AsyncIterable<Buffer>]
      let text = ''
      for await (const chunk of answer) text += chunk.toString()
      expect((JSON.parse(text) as { size: number }).size).toBe(200_000)
      expect(await slow).toBe('r1')
      if (round > 0) continue
      const echo = once(socket, 'message')
      socket.send('still there?')
      expect(String((await echo)[0])).toBe('still there?')
      socket.close()
    }
    const asked = kept.answered
    await until('load', () => (kept.answered > asked + 200 ? true : undefined))
    const { failures } = await kept.stop()
    await fresh.stop()
    expect(failures).toEqual([])
    expect(fresh.failures).toEqual([])
    expect(fresh.answered).toBeGreaterThan(0)
    expect((await shop.instances()).map(({ pid }) => pid)).toEqual(instances)
    expect((await status()).pid).not.toBe(before.pid)
  })

  /** The program of a new edge that is killed when it would tell that it has come to `step`. */
  const dyingAt = (step: string) => {
    const wrap = `const send = process.send.bind(process); process.send = (message, ...rest) => {
      if (message.step === '${step}') process.kill(process.pid, 'SIGKILL'); return send(message, ...rest) }`
    return {
      command: process.execPath,
      args: ['--import', `data:text/javascript,${encodeURIComponent(wrap)}`, entry],
    }
  }

  it.each(['loaded', 'prepared'])(
    'goes on without a request lost when the new one is killed before it is %s',
    async (step) => {
      const before = await status()
      const load = new Load(shop.address, 16)
      await until('load', () => (load.answered > 50 ? true : undefined))
      const ended = await edge.client.call('handover', dyingAt(step))
      expect(ended).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } })
      expect((await status()).pid).toBe(before.pid)
      await shop.run(releaseOf('r2'))
      valueOf(await shop.weigh({ r1: 0, r2: 100 }))
      await until('answers of r2', async () => ((await shop.get()) === 'r2' ? true : undefined))
      const { failures } = await load.stop()
      expect(failures).toEqual([])
      // And the next one succeeds.
      await handOver()
      expect(await shop.get()).toBe('r2')
      expect((await shop.report()).weights).toEqual({ r2: 100 })
    },
  )

  it('listens again when the new one is killed after it had the ports', async () => {
    const before = await status()
    const ended = await edge.client.call('handover', dyingAt('serving'))
    expect(ended).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE' } })
    expect((await status()).pid).toBe(before.pid)
    expect(await shop.get()).toBe('r1')
    await handOver()
    expect(await shop.get()).toBe('r1')
  })

  it('is followed by an edge of its own when the new one is killed as soon as it is the edge', async () => {
    const instances = (await shop.instances()).map(({ pid }) => pid)
    await edge.client.call('handover', dyingAt('open'))
    await using next = valueOf(await ensureEdge({ directory: edge.directory, clock: systemClock() }))
    expect((await next.call('status', {})).ok).toBe(true)
    expect(await until('an answer', () => shop.get().catch(() => undefined))).toBe('r1')
    expect((await shop.instances()).map(({ pid }) => pid)).toEqual(instances)
  })

  it('serves an emergency at once, whatever the new one is about', async () => {
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r1: 50, r2: 50 }))
    // Knows the state, and then nothing more comes of it.
    const hung = `process.on('message', () => {}); process.send({ step: 'loaded' })`
    const ended = edge.client.call('handover', { command: process.execPath, args: ['-e', hung] })
    const held = edge.client.call('setWeights', {
      service: serviceName,
      weights: { r1: 60, r2: 40 },
      fallbackReleaseId: 'r1',
      expectedRevision: (await shop.report()).revision,
      key: 'while it hands over',
      endsEmergency: false,
    })
    const [moved] = await edge.router.emergency([{ service: serviceName, key: 'now' }])
    expect(valueOf(moved!).weights).toEqual({ r1: 100 })
    expect((await ended).ok).toBe(false)
    await held
    expect((await shop.report()).emergency).not.toBe(null)
  })

  it('goes on counting, with what the old one still answered, under the same cursor', async () => {
    const binsAfter = async (cursor: string | null) => valueOf(await edge.router.bins(serviceName, cursor))
    const total = (bins: readonly { requests: number }[]) =>
      bins.reduce((sum, { requests }) => sum + requests, 0)
    const load = new Load(shop.address, 8)
    await until('load', () => (load.answered > 100 ? true : undefined))
    const slow = shop.get('/slow?wait=1500')
    const first = await until('a bin', async () => {
      const page = await binsAfter(null)
      return total(page.bins) > 0 ? page : undefined
    })
    await handOver()
    await slow
    const { answers, failures } = await load.stop()
    const expected = (answers.get('r1') ?? 0) + 1
    expect(failures).toEqual([])
    const seen = await until('all to be counted', async () => {
      const { bins } = await binsAfter(first.cursor)
      const count = total(first.bins) + total(bins)
      return count >= expected ? count : undefined
    })
    expect(seen).toBe(expected)
  })

  it('stops no instance that has requests of the old one', async () => {
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r2: 100 }, 'r2'))
    // Ends when this test says so, however long the handover takes.
    const upload = request(`${shop.address}/body`, { method: 'POST' })
    const answered = once(upload, 'response')
    upload.write('begun')
    await until('it to be under way', async () =>
      (await shop.instances('r2'))[0]?.inFlight === 1 ? true : undefined,
    )
    await handOver()
    expect((await shop.instances('r2'))[0]?.inFlight).toBe(1)
    valueOf(await shop.weigh({ r1: 100 }))
    await shop.remove('r2')
    upload.end()
    const [{ statusCode }] = (await answered) as [IncomingMessage]
    expect(statusCode).toBe(200)
    await until('it to have gone', async () => ((await shop.instances('r2')).length === 0 ? true : undefined))
  })

  it('finishes a long response and a WebSocket whatever the drain of their service is', async () => {
    valueOf(await edge.target.declare(definitionOf({ drainMs: 0 })))
    const socket = new WebSocket(shop.address.replace('http', 'ws'))
    await once(socket, 'open')
    const download = request(`${shop.address}/stream`, { method: 'POST' })
    download.write('first ')
    const [response] = (await once(download, 'response')) as [IncomingMessage]
    await handOver()
    // Longer than a listener takes to close.
    expect(await shop.get('/slow?wait=6000')).toBe('r1')
    const echo = once(socket, 'message')
    socket.send('still there?')
    expect(String((await echo)[0])).toBe('still there?')
    download.end('last')
    expect((await response.toArray()).join('')).toBe('first last')
    // The old one is not waited for when somebody ends it, and the new one goes on.
    const closed = once(socket, 'close')
    await edge.end('SIGTERM')
    await closed
    expect(await shop.get()).toBe('r1')
  })

  it('counts what the old one has to cut as timed out, when the new one stops an instance', async () => {
    valueOf(await edge.target.declare(definitionOf({ drainMs: 300 })))
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r2: 100 }, 'r2'))
    const download = request(`${shop.address}/head?length=100&sent=50`).end()
    const [response] = (await once(download, 'response')) as [IncomingMessage]
    const cut = once(response, 'error')
    await handOver()
    valueOf(await shop.weigh({ r1: 100 }))
    await shop.remove('r2')
    await cut
    const bin = await until('it to be counted', async () => {
      const { bins } = valueOf(await edge.router.bins(serviceName, null))
      return bins.find(({ releaseId, requests, abandoned }) => releaseId === 'r2' && requests + abandoned > 0)
    })
    expect(bin).toMatchObject({ requests: 1, timeouts: 1, abandoned: 0 })
  })

  it('goes on with a service that is being withdrawn, after its last request', async () => {
    const slow = shop.get('/slow?wait=2000')
    await until('it to be under way', async () =>
      (await shop.instances()).some(({ inFlight }) => inFlight === 1) ? true : undefined,
    )
    valueOf(await edge.target.withdraw(serviceName))
    await handOver()
    expect(await slow).toBe('r1')
    await until('it to have gone', async () => ((await status()).services.length === 0 ? true : undefined))
  })

  it('hands on connections that wait, with and without a request before', async () => {
    const { hostname, port } = new URL(shop.address)
    const open = () => {
      const socket = connect(Number(port), hostname)
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      const answers = (count: number) =>
        until('an answer', () => (text.split('HTTP/1.1 200').length > count ? true : undefined))
      return { socket, answers }
    }
    const ask = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const [silent, used, halfway] = [open(), open(), open()]
    used.socket.write(ask)
    await used.answers(1)
    halfway.socket.write(ask.slice(0, 20))
    await until('it to be read', async () => ((await shop.get()) === 'r1' ? true : undefined))
    await handOver()
    halfway.socket.write(ask.slice(20))
    await halfway.answers(1)
    // Those that have said nothing to the one in between come through a second one as well.
    await handOver()
    silent.socket.write(ask)
    used.socket.write(ask)
    await Promise.all([silent.answers(1), used.answers(2), halfway.answers(1)])
    halfway.socket.write(ask)
    await halfway.answers(2)
    for (const { socket } of [silent, used, halfway]) socket.destroy()
  })

  it('is replaced by the engine of a newer program, once, and by none of an older or the same', async () => {
    const upgrades: unknown[] = []
    const keep = async (ownVersion: string, count: number) => {
      const before = upgrades.length
      const clock = systemClock()
      const stop = new AbortController()
      const warnings: string[] = []
      const looked = Promise.withResolvers<void>()
      const keeper = edgeKeeper({
        directory: edge.directory,
        clock,
        log: {
          ...silentLog,
          info: (_message, upgrade) => void upgrades.push(upgrade),
          warn: (message) => void warnings.push(message),
        },
        isNeeded: () => true,
        ownVersion,
      })
      // It looks, then sleeps: the sleep is where it has decided.
      const running = keeper.run(stop.signal, { beat: () => looked.resolve() })
      await looked.promise
      if (count > 0) await until('an upgrade', () => (upgrades.length === before + count ? true : undefined))
      stop.abort()
      await running
      expect(warnings).toEqual([])
      expect(upgrades.length - before).toBe(count)
    }
    const { pid } = await status()
    await keep('0.0.0-development', 0)
    await keep('1.0.0', 1)
    expect(upgrades[0]).toMatchObject({ from: { pid }, to: { version: '0.0.0-development' } })
    expect(upgrades[0]).toMatchObject({ to: { pid: (await status()).pid } })
  })
})
