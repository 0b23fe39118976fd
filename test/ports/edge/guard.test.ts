import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readlinkSync, readdirSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sleep } from '../../../src/base/index.ts'
import { edgePlatform, type EdgeClient } from '../../../src/adapters/platforms/edge/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { edgeClient, ensureEdge, stopEdge } from '../../../src/hosts/edge/index.ts'
import { readPointer } from '../../../src/hosts/edge/pointer.ts'
import { ask } from '../../support/load.ts'
import { until } from '../../support/until.ts'
import { releaseOf, TestService, valueOf } from '../platform.ts'

const clock = systemClock()

describe.runIf(process.platform === 'linux')('an edge that crashes, without an engine', () => {
  let directory: string
  let client: EdgeClient
  let shop: TestService
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))
    await valueOf(await ensureEdge({ directory, clock }))[Symbol.asyncDispose]()
    // A handover takes as long as the start of a process.
    client = edgeClient(directory, 100_000)
    shop = await TestService.declare({
      ...edgePlatform(client),
      killAndRestart: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    })
    await shop.run(releaseOf('r1'), 2)
    await shop.run(releaseOf('r2'), 1)
    valueOf(await shop.weigh({ r1: 70, r2: 30 }))
  })
  afterEach(async () => {
    await stopEdge(client, { directory, clock, withInstances: true, withinMs: 60_000 })
    await client[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 })
  })

  const status = async () => valueOf(await client.call('status', {}))
  const argumentsOf = (pid: number | string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    } catch {
      return []
    }
  }
  /** Processes that wait to start this edge again, or are on their way to it. */
  const guards = () =>
    readdirSync('/proc').filter((name) => {
      const args = argumentsOf(name)
      return args.includes('pilothouse-edge-guard') && args.includes(directory)
    })
  const socketsOf = (pid: number) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`))
    } catch {
      return []
    }
  }
  /** Sockets that listen on the port of the service. */
  const listening = () => {
    const port = Number(new URL(shop.address).port).toString(16).toUpperCase().padStart(4, '0')
    return readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(`:${port}`) && fields[3] === '0A')
      .map((fields) => `socket:[${fields[9]}]`)
  }
  const guardHoldsPort = () =>
    until('the guard to hold the port', () => {
      const [port] = listening()
      return guards().some((pid) => socketsOf(Number(pid)).includes(port ?? 'none')) || undefined
    })
  const crash = async () => {
    const { pid } = await status()
    process.kill(pid, 'SIGKILL')
    return until('the next edge', async () => {
      const answer = await client.call('status', {})
      return answer.ok && answer.value.pid !== pid ? answer.value.pid : undefined
    })
  }

  it('is back with its instances and weights, again and again, and refuses no connection meanwhile', async () => {
    const instances = (await shop.instances()).map(({ pid }) => pid)
    for (let round = 0; round < 3; round++) {
      await guardHoldsPort()
      const { pid } = await status()
      process.kill(pid, 'SIGKILL')
      // On a connection of its own, which nobody accepts until the next edge is there.
      const answer = await fetch(shop.address, { headers: { connection: 'close' } })
      expect(answer.status).toBe(200)
      await until('the next edge', async () => {
        const next = await client.call('status', {})
        return (next.ok && next.value.pid !== pid) || undefined
      })
      expect((await shop.instances()).map((one) => one.pid)).toEqual(instances)
      expect((await shop.report()).weights).toEqual({ r1: 70, r2: 30 })
    }
    // No instance has got hold of a port of the edge.
    const [port] = listening()
    for (const instance of instances) expect(socketsOf(instance ?? 0)).not.toContain(port)
  })

  it('is back after it has taken over from another edge, and after its guard was killed', async () => {
    const { pid } = await status()
    const program = { command: process.execPath, args: argumentsOf(pid).slice(1, -3) }
    const next = valueOf(await client.call('handover', program))
    await until('the old edge to be gone', () => argumentsOf(pid).length === 0 || undefined)
    await guardHoldsPort()
    const [guard] = guards()
    process.kill(Number(guard), 'SIGKILL')
    await until('another guard', () => guards().some((one) => one !== guard) || undefined)
    await guardHoldsPort()
    expect(await crash()).not.toBe(next.pid)
    expect(await shop.get()).toMatch(/^r[12]$/)
  })

  it('stays named while the edge before it finishes a request, and is named again when that is lost', async () => {
    const { pid } = await status()
    const program = { command: process.execPath, args: argumentsOf(pid).slice(1, -3) }
    const named = (by: number) => readPointer(directory)?.pid === by || undefined
    const slow = shop.get('/slow?wait=4000')
    await until('it to be in progress', async () =>
      (await shop.instances()).some(({ inFlight }) => inFlight > 0) ? true : undefined,
    )
    const next = valueOf(await client.call('handover', program))
    await until('the new one to be named', () => named(next.pid))
    await slow
    await until('the old edge to be gone', () => argumentsOf(pid).length === 0 || undefined)
    expect(readPointer(directory)?.pid).toBe(next.pid)
    rmSync(join(directory, 'edge.json'))
    await until('it to be named again', () => named(next.pid), 10_000)
  })

  /** Edges of this directory, without their guards. */
  const edges = () =>
    readdirSync('/proc').filter((name) => {
      const args = argumentsOf(name)
      return args.includes('--directory') && args.includes(directory) && !guards().includes(name)
    })

  it.each(['loaded', 'prepared', 'serving', 'open'])(
    'refuses no connection when it is killed as the edge that takes over is %s',
    async (step) => {
      await guardHoldsPort()
      const { pid } = await status()
      const killer = `const send = process.send.bind(process); process.send = (message, ...rest) => {
        if (message.step === '${step}') process.kill(process.ppid, 'SIGKILL'); return send(message, ...rest) }`
      const args = [
        '--import',
        `data:text/javascript,${encodeURIComponent(killer)}`,
        ...argumentsOf(pid).slice(1, -3),
      ]
      const agent = new Agent({ keepAlive: false })
      const failures: string[] = []
      let answered = 0
      let isDone = false
      const asking = (async () => {
        while (!isDone) {
          await ask(shop.address, agent).then(
            () => (answered += 1),
            (failure: unknown) => failures.push(String(failure)),
          )
        }
      })()
      const handover = await client.call('handover', { command: process.execPath, args })
      expect(handover.ok).toBe(false)
      await until('the next edge to be alone', async () => {
        const next = await client.call('status', {})
        return (next.ok && next.value.pid !== pid && edges().length === 1) || undefined
      })
      const before = answered
      await until('answers', () => answered > before + 50 || undefined)
      isDone = true
      await asking
      // What the killed one held is lost; nothing is refused.
      expect(failures.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([])
      expect(failures.length).toBeLessThanOrEqual(1)
    },
    120_000,
  )

  it('is back though it is killed before it serves', async () => {
    await guardHoldsPort()
    const { pid } = await status()
    process.kill(pid, 'SIGKILL')
    const starting = await until('the next edge to start', () =>
      readdirSync('/proc').find((name) => {
        const args = argumentsOf(name)
        const isEdge = args.includes(directory) && !args.includes('pilothouse-edge-guard')
        return isEdge && guards().length > 0
      }),
    )
    process.kill(Number(starting), 'SIGKILL')
    await until('the edge after that', async () => {
      const answer = await client.call('status', {})
      return (answer.ok && ![pid, Number(starting)].includes(answer.value.pid)) || undefined
    })
    expect(await shop.get()).toMatch(/^r[12]$/)
  }, 120_000)

  it('is one edge though an engine starts one at the same moment', async () => {
    await guardHoldsPort()
    process.kill((await status()).pid, 'SIGKILL')
    await using ensured = valueOf(await ensureEdge({ directory, clock }))
    expect(valueOf(await ensured.call('status', {})).pid).toBe((await status()).pid)
    expect(await shop.get()).toMatch(/^r[12]$/)
  })

  it('is waited for by an engine, as long as its guard lives', async () => {
    await guardHoldsPort()
    const guard = Number(guards()[0])
    await until('the guard to be named', () => readPointer(directory)?.guard?.pid === guard || undefined)
    process.kill(guard, 'SIGSTOP')
    process.kill((await status()).pid, 'SIGKILL')
    const response = shop.get()
    const ensuring = ensureEdge({ directory, clock })
    // Longer than an edge usually needs.
    await sleep(clock, 3000)
    process.kill(guard, 'SIGCONT')
    await using ensured = valueOf(await ensuring)
    expect(valueOf(await ensured.call('status', {})).pid).toBe(guard)
    expect(await response).toMatch(/^r[12]$/)
  })

  it('is started by an engine at once when its guard was killed, too', async () => {
    await guardHoldsPort()
    const { pid } = await status()
    process.kill(pid, 'SIGSTOP')
    for (const guard of guards()) process.kill(Number(guard), 'SIGKILL')
    process.kill(pid, 'SIGKILL')
    await using ensured = valueOf(await ensureEdge({ directory, clock }))
    expect(valueOf(await ensured.call('status', {})).pid).not.toBe(pid)
    await until('the service', async () => (await shop.get().catch(() => '')).startsWith('r') || undefined)
  })

  it('stays away when it was stopped, and leaves no guard and no port behind', async () => {
    valueOf(await stopEdge(client, { directory, clock, withInstances: true, withinMs: 60_000 }))
    expect(guards()).toEqual([])
    expect(listening()).toEqual([])
    await using other = edgeClient(directory)
    expect((await other.call('status', {})).ok).toBe(false)
  })

  it('goes on without a free descriptor, and has a guard again when there is one', async () => {
    const { pid } = await status()
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
    const before = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? ''
    const set = (count: string) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`])
    const [guard] = await until('a guard', async () => (guards().length > 0 ? guards() : undefined))
    set('3')
    try {
      process.kill(Number(guard), 'SIGKILL')
      await sleep(clock, 1000)
    } finally {
      set(before)
    }
    await until('a new guard', async () => (guards().length > 0 ? true : undefined))
    expect((await status()).pid).toBe(pid)
  })
})
