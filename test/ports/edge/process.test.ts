import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { guardsSchema } from '../../../src/contract/index.ts'
import { readState, StateFile } from '../../../src/edge/state/state-file.ts'
import { identityOf } from '../../../src/edge/supervisor/process-identity.ts'
import { edgeSocketPath, ensureEdge } from '../../../src/hosts/edge/index.ts'
import { Load } from '../../support/load.ts'
import { until } from '../../support/until.ts'
import { startNode } from '../cli/process.ts'
import {
  codeOf,
  definitionOf,
  edgeDefinitionOf,
  edgeReleaseOf,
  releaseOf,
  serviceName,
  TestService,
  valueOf,
  type TestInstance,
} from '../platform.ts'
import { EdgeProcess } from './edge-process.ts'

/** The status that the admin socket gives to a call as it is. */
const admin = (edge: EdgeProcess, path: string, body: string, method = 'POST'): Promise<number> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath: edgeSocketPath(edge.directory), path, method }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
    })
    call.on('error', reject)
    call.end(body)
  })

describe('the edge as a process', () => {
  let edge: EdgeProcess
  beforeEach(async () => {
    edge = await EdgeProcess.start()
  })
  afterEach(() => edge[Symbol.asyncDispose]())

  const shopWith = async (
    instances: number,
    changes: Record<string, unknown> = {},
    release = releaseOf('r1'),
  ) => {
    const platform = {
      ...edge,
      target: edge.target,
      router: edge.router,
      killAndRestart: () => edge.end('SIGKILL'),
    }
    const shop = await TestService.declare(
      { ...platform, [Symbol.asyncDispose]: async () => undefined },
      changes,
    )
    await shop.run(release, instances)
    valueOf(await shop.weigh({ [release.id]: 100 }))
    return shop
  }

  it('lets nobody else on its admin socket, and refuses what is not a call', async () => {
    if (process.platform !== 'win32')
      expect(statSync(edgeSocketPath(edge.directory)).mode & 0o777).toBe(0o600)
    expect(await admin(edge, '/v1/status', '{}')).toBe(200)
    expect(await admin(edge, '/v1/status', '{"surplus":1}')).toBe(400)
    expect(await admin(edge, '/v1/status', 'no json')).toBe(400)
    expect(await admin(edge, '/v1/status', '{}', 'PUT')).toBe(404)
    expect(await admin(edge, '/v1/constructor', '{}')).toBe(404)
    expect(await admin(edge, '/v1/bins', JSON.stringify({ service: '../x', cursor: null }))).toBe(400)
    expect(await admin(edge, '/v1/status', JSON.stringify({ a: 'a'.repeat(5_000_000) }))).toBe(413)
  })

  it('is the only one on its directory', async () => {
    const second = await edge.startSecond()
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('already running')
    expect((await edge.client.call('status', {})).ok).toBe(true)
  })

  it('runs what it is asked for after it was stopped with its instances, also with a key of before', async () => {
    const shop = await shopWith(1)
    const ask = async () =>
      valueOf(
        await edge.target.ensure({
          service: serviceName,
          release: releaseOf('r1'),
          instances: 1,
          key: 'shop:rest:3:r1:1',
        }),
      )
    for (let round = 0; round < 3; round++) {
      await edge.stopWithInstances()
      await edge.start()
      expect(await shop.instances()).toEqual([])
      await ask()
      await shop.healthy('r1')
    }
  })

  it('leaves instances running at SIGTERM and takes them up again', async () => {
    const shop = await shopWith(1)
    const [before] = await shop.instances()
    await edge.end('SIGTERM')
    expect(() => process.kill(before?.pid ?? 0, 0)).not.toThrow()
    await edge.start()
    expect(await shop.get()).toBe('r1')
    expect((await shop.instances())[0]?.pid).toBe(before?.pid)
  })

  it('loses at most the requests that an instance held when it is killed, and none of the others', async () => {
    const shop = await shopWith(3)
    const load = new Load(shop.address, 12)
    await until('answers', () => (load.answered > 100 ? true : undefined))
    const [victim] = await shop.instances()
    const held = 12
    process.kill(victim?.pid ?? 0, 'SIGKILL')
    await until('it to run again', async () => {
      const again = (await shop.instances()).find(({ id }) => id === victim?.id)
      return again?.state === 'healthy' && again.pid !== victim?.pid ? true : undefined
    })
    const { failures, answers } = await load.stop()
    expect(failures.length).toBeLessThanOrEqual(held)
    expect(answers.get('r1')).toBeGreaterThan(100)
  })

  it.runIf(process.platform !== 'win32')(
    'holds nothing against a new process that requests tell of the one before it',
    async () => {
      const { artifact, ...release } = releaseOf('r1')
      // What holds the requests outlives the shell for a moment: they break off after its end was seen.
      const argv = ['sh', '-c', `'${artifact.argv.join("' '")}' & wait`]
      const shop = await shopWith(
        3,
        { drainMs: 100, graceMs: 100, routing: { balancing: 'least_connections' } },
        { ...release, artifact: { ...artifact, argv } },
      )
      const clients = new AbortController()
      void Promise.allSettled(
        Array.from({ length: 30 }, () => fetch(`${shop.address}/?wait=60000`, { signal: clients.signal })),
      )
      const inFlight = async () => (await shop.instances()).map((instance) => instance.inFlight)
      await until('ten requests at each', async () =>
        (await inFlight()).every((count) => count === 10) ? true : undefined,
      )
      const [victim] = await shop.instances()
      process.kill(victim?.pid ?? 0, 'SIGKILL')
      const again = await until('it to run again', async () => {
        const one = (await shop.instances()).find(({ id }) => id === victim?.id)
        return one && one.pid !== null && one.pid !== victim?.pid && one.state !== 'starting'
          ? one
          : undefined
      })
      clients.abort()
      expect(again).toMatchObject({ state: 'healthy', reason: '' })
    },
  )

  it('cuts a WebSocket when the drain time of its instance is over, not before', async () => {
    const shop = await shopWith(1)
    const socket = new WebSocket(shop.address.replace('http', 'ws'))
    await once(socket, 'open')
    valueOf(await edge.client.call('declare', { definition: { ...definition(serviceName), drainMs: 500 } }))
    valueOf(await shop.weigh({}))
    const closed = once(socket, 'close')
    await shop.remove('r1')
    const answer = once(socket, 'message')
    socket.send('still there?')
    expect(String((await answer)[0])).toBe('still there?')
    await closed
    await until('the instance to be gone', async () =>
      (await shop.instances()).length === 0 ? true : undefined,
    )
  })

  /** All that is said on a connection after this handshake, until it is closed. */
  const afterHandshake = async (shop: TestService, path: string) => {
    const { hostname, port } = new URL(shop.address)
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    )
    await once(socket, 'close')
    return text
  }

  it.each(['/no-cut', '/no-stall'])(
    'closes the connection of a refused handshake whose answer does not come whole: %s',
    async (path) => {
      const shop = await shopWith(1, { timeouts: { responseMs: 300 } })
      expect(await afterHandshake(shop, path)).toMatch(/^HTTP\/1\.1 403 .*half$/s)
    },
  )

  it.runIf(process.platform === 'linux')(
    'finds an instance again that it started but was killed before it noted its pid',
    async () => {
      const shop = await shopWith(1)
      const [before] = await shop.instances()
      await edge.end('SIGKILL')
      const path = join(edge.directory, 'state.json')
      const { state } = await readState(path)
      for (const service of state.services) for (const instance of service.instances) instance.process = null
      await new StateFile(path, () => state, 1).save()
      await edge.start()
      expect((await shop.instances()).map(({ pid }) => pid)).toEqual([before?.pid])
      expect(await shop.get()).toBe('r1')
    },
  )

  it('listens on its port as soon as it can be had', async () => {
    const shop = await shopWith(1)
    await edge.end('SIGKILL')
    const other = createServer().listen(Number(new URL(shop.address).port), '127.0.0.1')
    await once(other, 'listening')
    await edge.start()
    const { listenTrouble } = valueOf(await edge.target.observe(serviceName))
    expect(listenTrouble).toContain('(EADDRINUSE)')
    other.close()
    expect(await until('an answer', () => shop.get().catch(() => undefined))).toBe('r1')
    expect(valueOf(await edge.target.observe(serviceName)).listenTrouble).toBe('')
  })

  it('stops an instance whose release was removed while it was away', async () => {
    const shop = await shopWith(1)
    const [before] = await shop.instances()
    valueOf(await shop.weigh({}))
    await shop.remove('r1')
    await edge.end('SIGKILL')
    await edge.start()
    await until('the process to end', () => {
      try {
        process.kill(before?.pid ?? 0, 0)
        return undefined
      } catch {
        return true
      }
    })
  })

  describe.runIf(process.platform === 'linux')(
    'and what an instance has started in a session of its own',
    () => {
      const ended = (pid: number) =>
        until(`${pid} to end`, async () => ((await identityOf(pid)) === null ? true : undefined))

      it('ends it with the instance, and nothing that only looks like it', async () => {
        const shop = await shopWith(1)
        const [instance] = (await shop.instances()) as [TestInstance]
        const stray = Number(await shop.get('/detach'))
        const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
          env: { PILOTHOUSE_INSTANCE: `${instance.id}0`, NOTE: `PILOTHOUSE_INSTANCE=${instance.id}` },
        })
        valueOf(await shop.weigh({}))
        await shop.remove('r1')
        await ended(stray)
        await until('the instance to be gone', async () =>
          (await shop.instances()).length === 0 ? true : undefined,
        )
        expect(await identityOf(other.pid ?? 0)).not.toBe(null)
        other.kill('SIGKILL')
      })

      it('ends it before the instance starts again, here and after the edge was away', async () => {
        const shop = await shopWith(1)
        const again = async (pid: number | null) =>
          until('another process', async () => {
            const [one] = await shop.instances()
            return one?.state === 'healthy' && one.pid !== pid ? one : undefined
          })
        const first = Number(await shop.get('/detach'))
        const [before] = (await shop.instances()) as [TestInstance]
        await shop.get('/crash').catch(() => undefined)
        const { pid } = await again(before.pid)
        expect(await identityOf(first)).toBe(null)
        const second = Number(await shop.get('/detach'))
        await edge.end('SIGKILL')
        process.kill(pid ?? 0, 'SIGKILL')
        await edge.start()
        await again(pid)
        expect(await identityOf(second)).toBe(null)
      })
    },
  )

  it('starts nothing more of a service that is being withdrawn', async () => {
    await shopWith(1, { graceMs: 1000 }, releaseOf('r1', { MODE: 'stubborn' }))
    valueOf(await edge.target.withdraw(serviceName))
    const late = { service: serviceName, release: releaseOf('r2'), instances: 1, key: 'late' }
    expect(codeOf(await edge.target.ensure(late))).toBe('NOT_FOUND')
    await until('it to be gone', async () =>
      codeOf(await edge.target.observe(serviceName)) === 'NOT_FOUND' ? true : undefined,
    )
  })

  it('answers each of 50 orders of one emergency call, and moves what can be moved', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `s${i}`)
    for (const name of names) await edge.client.call('declare', { definition: definition(name) })
    const release = (name: string, id: string) => ({ ...edgeReleaseOf(id), service: name })
    valueOf(
      await edge.client.call('ensure', {
        service: 's7',
        release: release('s7', 'r1'),
        instances: 1,
        key: 'a',
      }),
    )
    await until('a healthy instance', async () => {
      const { instances } = valueOf(await edge.target.observe('s7'))
      return instances.some(({ state }) => state === 'healthy') || undefined
    })
    const answers = await edge.router.emergency(
      names.map((service) => ({ service, key: 'now', toReleaseId: 'r1' })),
    )
    expect(answers.map((answer) => (answer.ok ? answer.value.weights : answer.error.code))).toEqual(
      names.map((name) => (name === 's7' ? { r1: 100 } : 'NO_HEALTHY_INSTANCE')),
    )
  })

  it('moves traffic in an emergency though its disk takes nothing, and says so', async () => {
    const shop = await shopWith(1)
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r1: 70, r2: 30 }))
    const order = (key: string) => edge.router.emergency([{ service: serviceName, key }])
    mkdirSync(join(edge.directory, 'state.json.new'))
    rmSync(join(edge.directory, 'state.json.journal'))
    mkdirSync(join(edge.directory, 'state.json.journal'))
    const [moved] = await order('while the disk is full')
    expect(valueOf(moved!)).toMatchObject({ weights: { r1: 100 }, isKept: false })
    rmdirSync(join(edge.directory, 'state.json.new'))
    rmdirSync(join(edge.directory, 'state.json.journal'))
    const [again] = await order('when it is not')
    expect(valueOf(again!)).toMatchObject({ weights: { r1: 100 }, isKept: true })
  })

  it('keeps an emergency over a kill though the whole state could not be written after it', async () => {
    const shop = await shopWith(1)
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r1: 70, r2: 30 }))
    mkdirSync(join(edge.directory, 'state.json.new'))
    const [moved] = await edge.router.emergency([{ service: serviceName, key: 'now' }])
    expect(valueOf(moved!)).toMatchObject({ weights: { r1: 100 }, isKept: true })
    await edge.end('SIGKILL')
    rmdirSync(join(edge.directory, 'state.json.new'))
    await edge.start()
    expect(await shop.report()).toMatchObject({ weights: { r1: 100 }, emergency: { key: 'now' } })
    expect(statSync(join(edge.directory, 'state.json.journal')).size).toBe(0)
  })

  it('sends what no instance has seen to another one, whatever its method, its body whole', async () => {
    const shop = await shopWith(3, { health: { path: '/health', intervalMs: 60_000, rise: 1, fall: 2 } })
    await shop.get('/deaf')
    const body = Buffer.alloc(200_000, 'x')
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const sent = await fetch(`${shop.address}/body`, { method: i % 2 ? 'POST' : 'PATCH', body })
        return [sent.status, ((await sent.json()) as { size: number }).size]
      }),
    )
    expect(answers).toEqual(Array.from({ length: 30 }, () => [200, body.length]))
    expect((await fetch(shop.address, { method: 'POST' })).status).toBe(200)
  })

  /** Asks an instance itself, past the proxy. */
  const ask = async ({ port }: TestInstance, path: string) =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).text()
  const staleLog = async (instance: TestInstance) =>
    JSON.parse(await ask(instance, '/stale-log')) as { seen: number[]; dropped: number[] }
  let lastId = 0
  /** Sixty requests one after the other, and who answered which. */
  const sendSixty = async (shop: TestService) => {
    const answers = new Map<number, string>()
    for (let i = 0; i < 60; i++) answers.set(++lastId, await shop.get(`/stale?id=${lastId}`))
    return answers
  }

  it('repeats what met a stale connection at another instance, and at the same one when it is the last', async () => {
    const shop = await shopWith(2)
    const both = (await shop.instances()) as [TestInstance, TestInstance]
    await ask(both[0], '/make-stale')
    expect(new Set((await sendSixty(shop)).values())).toEqual(new Set(['r1']))
    const [{ seen, dropped }, other] = [await staleLog(both[0]), await staleLog(both[1])]
    expect(dropped.length).toBeGreaterThan(0)
    expect(new Set(seen).size).toBe(seen.length)
    expect(other.seen).toEqual(expect.arrayContaining(dropped))
    await shop.ensure(releaseOf('r1'), 1)
    const last = await until('one to be left', async () => {
      const left = await shop.instances()
      return left.length === 1 ? left[0] : undefined
    })
    await ask(last, '/make-stale')
    const before = (await staleLog(last)).dropped.length
    expect(new Set((await sendSixty(shop)).values())).toEqual(new Set(['r1']))
    expect((await staleLog(last)).dropped.length).toBeGreaterThan(before)
  })

  it('repeats at the candidate once, then at the stable release, and nothing of that one at the candidate', async () => {
    const shop = await shopWith(1)
    await shop.run(releaseOf('r2'), 2)
    valueOf(await shop.weigh({ r1: 50, r2: 50 }))
    const [stable] = (await shop.instances('r1')) as [TestInstance]
    const candidates = (await shop.instances('r2')) as [TestInstance, TestInstance]
    await Promise.all(candidates.map((one) => ask(one, '/make-stale')))
    const first = await sendSixty(shop)
    const dropped = new Set((await Promise.all(candidates.map(staleLog))).flatMap((log) => log.dropped))
    expect(dropped.size).toBeGreaterThan(0)
    expect([...first.values()].every((answer) => answer === 'r1' || answer === 'r2')).toBe(true)
    const diverted = [...dropped].filter((id) => first.get(id) === 'r1').length
    const counted = await until('a diverted request to be counted', async () => {
      const { bins } = valueOf(await edge.router.bins(serviceName, null))
      const own = bins.filter(({ releaseId }) => releaseId === 'r2')
      const sum = (of: 'diverted' | 'errors') => own.reduce((total, bin) => total + bin[of], 0)
      return sum('diverted') === diverted ? sum('errors') : undefined
    })
    expect(counted).toBe(0)
    await ask(stable, '/make-stale')
    const second = await sendSixty(shop)
    const after = (await Promise.all(candidates.map(staleLog))).flatMap((log) => log.seen)
    // What the stable one answered at last the candidate has seen only if it came there first, and dropped it.
    const droppedBefore = new Set((await Promise.all(candidates.map(staleLog))).flatMap((log) => log.dropped))
    expect((await staleLog(stable)).dropped.length).toBeGreaterThan(0)
    expect(after.filter((id) => second.get(id) === 'r1' && !droppedBefore.has(id))).toEqual([])
    // Three attempts are the most: what each of the three instances dropped is given up.
    const drops = (await Promise.all([...candidates, stable].map(staleLog))).map(({ dropped }) => dropped)
    const unanswered = (await staleLog(stable)).dropped.filter((id) => second.get(id) !== 'r1')
    expect(unanswered.filter((id) => !drops.every((ids) => ids.includes(id)))).toEqual([])
  })

  it('repeats at the stable release what the only candidate had not answered when it was restarted as hung', async () => {
    const shop = await shopWith(1, {
      health: { path: '/health', intervalMs: 100, timeoutMs: 1000, rise: 1, fall: 2, restartAfterMs: 1000 },
    })
    await shop.run(releaseOf('r2'))
    valueOf(await shop.weigh({ r1: 50, r2: 50 }))
    const [candidate] = (await shop.instances('r2')) as [TestInstance]
    // Each on a connection of its own, which has served nobody before.
    const asked = Array.from({ length: 20 }, () => shop.get('/?wait=6000'))
    await until('the candidate to have its share', async () => {
      const [now] = (await shop.instances('r2')) as [TestInstance]
      return now.inFlight >= 5 ? true : undefined
    })
    await ask(candidate, '/sick')
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, () => 'r1'))
  })

  it('leaves out an instance that fails again and again, and never the last one', async () => {
    const shop = await shopWith(2)
    await shop.get('/make-flaky')
    const statuses = async (count: number) => {
      const seen: number[] = []
      for (let i = 0; i < count; i++) seen.push((await fetch(`${shop.address}/flaky`)).status)
      return seen
    }
    await until('the failing one to be left out', async () =>
      (await shop.instances()).some(({ reason }) => /^ejected/.test(reason))
        ? true
        : (await statuses(5), undefined),
    )
    expect(await statuses(20)).toEqual(Array.from({ length: 20 }, () => 200))
    // The other one fails now, too: half a service is better than none.
    await shop.get('/make-flaky')
    await statuses(20)
    expect((await shop.instances()).filter(({ reason }) => /^ejected/.test(reason))).toHaveLength(1)
    expect((await fetch(shop.address)).status).toBe(200)
  })

  it('uses an instance that it has left out when the others are not well, also in an emergency', async () => {
    const shop = await shopWith(2)
    const failing = Number(await shop.get('/make-flaky'))
    await until('the failing one to be left out', async () => {
      for (let i = 0; i < 5; i++) await shop.get('/flaky')
      const one = (await shop.instances()).find(({ pid }) => pid === failing)
      return one?.reason.startsWith('ejected') ? true : undefined
    })
    await shop.get('/sick')
    await until('the other one to be unhealthy, too', async () =>
      (await shop.instances()).find(({ pid }) => pid !== failing)?.state === 'unhealthy' ? true : undefined,
    )
    expect(await shop.get()).toBe('r1')
    const [moved] = await edge.router.emergency([{ service: serviceName, key: 'now' }])
    expect(valueOf(moved!).weights).toEqual({ r1: 100 })
  })

  it('sheds a share of the load, and spares what is urgent', async () => {
    const shop = await shopWith(1)
    const guards = guardsSchema.parse({ shedding: { percent: 50, sparesUrgencyBelow: 2 } })
    valueOf(await edge.client.call('setGuards', { service: serviceName, guards }))
    const statusesOf = (headers: Record<string, string>) =>
      Promise.all(Array.from({ length: 400 }, async () => (await fetch(shop.address, { headers })).status))
    const usual = await statusesOf({})
    const shed = usual.filter((status) => status === 503).length
    // Six times the deviation of 400 coins: once in a billion runs by chance.
    expect(Math.abs(shed - 200)).toBeLessThan(60)
    expect(usual.filter((status) => status === 200)).toHaveLength(400 - shed)
    expect(new Set(await statusesOf({ priority: 'u=1' }))).toEqual(new Set([200]))
  })

  it('lets a few requests try a release whose circuit was open, and closes it when they succeed', async () => {
    const shop = await shopWith(1)
    const breaker = { window: 4, minAttempts: 4, openMs: 500, probes: 2 }
    valueOf(
      await edge.client.call('setGuards', { service: serviceName, guards: guardsSchema.parse({ breaker }) }),
    )
    const circuit = async () =>
      valueOf(await edge.client.call('guards', { service: serviceName })).circuits['r1']
    for (let i = 0; i < 4; i++) await fetch(`${shop.address}/fail`)
    expect(await circuit()).toBe('open')
    expect((await fetch(shop.address)).status).toBe(503)
    await until('it to be half open', async () => ((await circuit()) === 'half_open' ? true : undefined))
    await fetch(`${shop.address}/fail`)
    expect(await circuit()).toBe('open')
    await until('it to be half open again', async () =>
      (await circuit()) === 'half_open' ? true : undefined,
    )
    for (let i = 0; i < 2; i++) expect((await fetch(shop.address)).status).toBe(200)
    expect(await circuit()).toBe('closed')
  })

  it('believes the proxies that it is told to trust about who asks, its guards too, and nobody else', async () => {
    const shop = await shopWith(1)
    const guards = guardsSchema.parse({ lockdown: { allow: ['192.0.2.0/24'] } })
    valueOf(await edge.client.call('setGuards', { service: serviceName, guards }))
    const ask = () => fetch(shop.address, { headers: { 'x-forwarded-for': '192.0.2.7' } })
    expect((await ask()).status).toBe(200)
    expect((await fetch(shop.address)).status).toBe(403)
    valueOf(await edge.target.declare(definitionOf({ listen: { trustedProxies: ['10.0.0.0/8'] } })))
    expect((await ask()).status).toBe(403)
  })

  it('guards a service as it is told, also after a restart', async () => {
    const shop = await shopWith(1)
    const guard = async (guards: Record<string, unknown>) => {
      valueOf(
        await edge.client.call('setGuards', { service: serviceName, guards: guardsSchema.parse(guards) }),
      )
    }
    const status = async () => (await fetch(shop.address)).status
    await guard({ lockdown: { allow: ['192.0.2.0/24'] } })
    expect(await status()).toBe(403)
    await edge.end('SIGKILL')
    await edge.start()
    expect(await status()).toBe(403)
    await guard({ rateLimit: { requestsPerSecond: 0.01, burst: 1 } })
    expect([await status(), await status()]).toEqual([200, 429])
    await guard({ shedding: { percent: 100 } })
    expect(await status()).toBe(503)
    await guard({ openCircuits: ['r1'] })
    expect(await status()).toBe(503)
    await guard({ breaker: { window: 4, minAttempts: 4, openMs: 60_000 } })
    for (let i = 0; i < 4; i++) await fetch(`${shop.address}/fail`)
    expect(await status()).toBe(503)
    const { circuits } = valueOf(await edge.client.call('guards', { service: serviceName }))
    expect(circuits).toEqual({ r1: 'open' })
    await guard({})
    expect(await status()).toBe(200)
  })
})

const definition = (name: string) => ({ ...edgeDefinitionOf(), name, drainMs: 1000, graceMs: 1000 })

describe('an edge that is started by whoever needs it', () => {
  it('is one, however many start it at once, and does not end with them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))
    const clock = systemClock()
    writeFileSync(join(directory, 'edge.out'), 'why the last one ended\n')
    const clients = (await Promise.all([1, 2].map(() => ensureEdge({ directory, clock })))).map(valueOf)
    const pids = await Promise.all(
      clients.map(async (client) => valueOf(await client.call('status', {})).pid),
    )
    expect(new Set(pids).size).toBe(1)
    expect(pids[0]).not.toBe(process.pid)
    expect(readFileSync(join(directory, 'edge.out'), 'utf8')).toMatch(
      /^why the last one ended\n.*edge serves at/s,
    )
    valueOf((await clients[0]?.call('stop', { instances: true })) as never)
    await until('it to end', async () => ((await clients[0]?.call('status', {}))?.ok ? undefined : true))
    for (const client of clients) await client[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 })
  })

  it('is started, shown, upgraded and stopped from the command line', async () => {
    const home = mkdtempSync(join(tmpdir(), 'pilothouse-home-'))
    const entry = join(import.meta.dirname, '../cli/entry.ts')
    const run = (...args: string[]) =>
      startNode(entry, ['-', 'edge', ...args, '--data-dir', home], home).ended
    const away = await run('status')
    expect(away.code).toBe(1)
    expect(away.stderr).toContain('To start one, run: pilothouse edge start')
    const started = await run('start')
    await using _ended = {
      [Symbol.asyncDispose]: async () => {
        await run('stop', '--with-instances')
        rmSync(home, { recursive: true, force: true, maxRetries: 20 })
      },
    }
    expect(started.stderr).toBe('')
    expect(started.stdout).toContain('No services.')
    expect((await run('status')).stdout).toBe(started.stdout)
    if (process.platform !== 'win32') {
      const upgraded = await run('upgrade')
      expect(upgraded.stderr).toBe('')
      expect(upgraded.stdout).toContain(
        'Requests and WebSockets in progress finish in the old process; what is left after 10 min is cut.',
      )
      expect((await run('status')).stdout).not.toBe(started.stdout)
    }
    expect((await run('stop', '--with-instances')).code).toBe(0)
    await until('it to end', async () => ((await run('status')).code === 1 ? true : undefined))
  })
})
