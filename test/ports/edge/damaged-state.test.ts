import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { edgePlatform, type EdgeClient } from '../../../src/adapters/platforms/edge/index.ts'
import { systemClock, systemRng } from '../../../src/adapters/system/index.ts'
import { EdgeServices } from '../../../src/edge/index.ts'
import { claimWithinMs } from '../../../src/edge/supervisor/orphans.ts'
import { identityOf } from '../../../src/edge/supervisor/process-identity.ts'
import { ensureEdge, stopEdge } from '../../../src/hosts/edge/index.ts'
import { until } from '../../support/until.ts'
import { releaseOf, serviceName, TestService, valueOf } from '../platform.ts'

const clock = systemClock()

const runs = async (pid: number | null) => pid !== null && (await identityOf(pid)) !== null

/** An edge with its guard, on a directory of its own. */
class Edge {
  readonly directory: string
  client!: EdgeClient
  shop!: TestService

  constructor(directory = mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))) {
    this.directory = directory
  }

  async start(): Promise<void> {
    this.client = valueOf(await ensureEdge({ directory: this.directory, clock }))
  }

  get platform() {
    return {
      ...edgePlatform(this.client),
      killAndRestart: async () => undefined,
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** As an engine does when it finds an edge that does not know its service. */
  async declare(changes: Record<string, unknown> = {}): Promise<void> {
    this.shop = await TestService.declare(this.platform, changes)
  }

  async pids(): Promise<number[]> {
    return (await this.shop.instances()).map(({ pid }) => pid ?? 0).sort((a, b) => a - b)
  }

  damage(): void {
    for (const name of ['state.json', 'state.json.previous', 'state.json.journal'])
      writeFileSync(join(this.directory, name), '{"format":1,"sha2')
  }

  async status() {
    return valueOf(await this.client.call('status', {}))
  }

  /** Kills the edge and waits for the next one, which its guard starts. */
  async crash(): Promise<void> {
    const { pid } = await this.status()
    process.kill(pid, 'SIGKILL')
    await until('the next edge', async () => {
      const next = await this.client.call('status', {})
      return (next.ok && next.value.pid !== pid) || undefined
    })
  }

  async end(): Promise<void> {
    const { directory } = this
    await stopEdge(this.client, { directory, clock, withInstances: true, withinMs: 60_000 })
    await this.client[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 })
  }
}

describe.runIf(process.platform === 'linux')('an edge whose state is damaged, every copy of it', () => {
  let edge: Edge
  let other: Edge
  let pids: number[]
  let othersPids: number[]
  beforeEach(async () => {
    edge = new Edge()
    other = new Edge()
    for (const each of [edge, other]) {
      await each.start()
      await each.declare()
      await each.shop.run(releaseOf('r1'), 2)
      valueOf(await each.shop.weigh({ r1: 100 }))
    }
    pids = await edge.pids()
    othersPids = await other.pids()
  })
  afterEach(async () => {
    const left = await Promise.all(othersPids.map(runs))
    for (const each of [edge, other]) await each.end()
    expect(left).toEqual([true, true])
    for (const pid of [...pids, ...othersPids]) expect(await runs(pid)).toBe(false)
  })

  it('adopts its instances, and listens on the port it had, when the service is declared again', async () => {
    const { port } = new URL(edge.shop.address)
    edge.damage()
    await edge.crash()
    const status = await edge.status()
    expect(status.damage).toContain('state.json is damaged')
    expect(status.damage).toContain('The edge started empty')
    expect(status.trouble).toContain("2 instances that the edge's state does not name")

    await edge.declare({ listen: { port: Number(port) } })
    await edge.shop.run(releaseOf('r1'), 2)
    valueOf(await edge.shop.weigh({ r1: 100 }))
    expect(await edge.shop.get()).toBe('r1')
    expect(await edge.pids()).toEqual(pids)
    expect((await edge.status()).trouble).toBe('')

    // They are in the state again: the next edge needs nobody to declare them.
    await edge.crash()
    expect(await edge.pids()).toEqual(pids)
    expect(await edge.shop.get()).toBe('r1')
  }, 120_000)

  it('ends those that run something else under the name of the release', async () => {
    edge.damage()
    await edge.crash()
    await edge.declare()
    await edge.shop.run(releaseOf('r1', { GREETING: 'new' }), 1)
    await until('the old instances to end', async () =>
      (await Promise.all(pids.map(runs))).includes(true) ? undefined : true,
    )
    expect(await edge.pids()).toHaveLength(1)
  }, 120_000)

  it('ends what is removed, and keeps the output of what waits', async () => {
    const [instance] = await edge.shop.instances()
    edge.damage()
    await edge.crash()
    expect(existsSync(join(edge.directory, 'logs', `${instance?.id}.out.log`))).toBe(true)
    await edge.declare()
    await edge.shop.remove('r1')
    await until('the instances to end', async () =>
      (await Promise.all(pids.map(runs))).includes(true) ? undefined : true,
    )
  }, 120_000)

  it('leaves no process behind when it is stopped before anybody declares the service', async () => {
    edge.damage()
    await edge.crash()
    valueOf(
      await stopEdge(edge.client, {
        directory: edge.directory,
        clock,
        withInstances: true,
        withinMs: 60_000,
      }),
    )
    expect(await Promise.all(pids.map(runs))).toEqual([false, false])
  }, 120_000)

  it('ends its instances when nobody declares the service in time', async () => {
    const { directory } = edge
    valueOf(await stopEdge(edge.client, { directory, clock, withInstances: false, withinMs: 60_000 }))
    edge.damage()
    const due: (() => void)[] = []
    const platform = await EdgeServices.open({
      directory,
      workDirectory: join(directory, 'work'),
      environment: process.env,
      version: '0.0.0',
      clock: {
        ...clock,
        nowMs: () => clock.nowMs(),
        monotonicMs: () => clock.monotonicMs(),
        every: (ms, run) => clock.every(ms, run),
        after: (ms, run) =>
          ms < claimWithinMs ? clock.after(ms, run) : (due.push(run), { [Symbol.dispose]: () => undefined }),
      },
      rng: systemRng(),
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      onStop: () => undefined,
      onHandover: () => Promise.reject(new Error('not here')),
      cutElsewhere: () => undefined,
      unwritten: () => [],
      keptPorts: new Map(),
      inheritance: null,
    })
    expect(await Promise.all(pids.map(runs))).toEqual([true, true])
    for (const run of due) run()
    await until('the instances to end', async () =>
      (await Promise.all(pids.map(runs))).includes(true) ? undefined : true,
    )
    await platform.close(true)
  }, 120_000)

  it('ends instances of an earlier version, which carry no mark but write its log files', async () => {
    const start = (id: string, logs: string) => {
      const output = openSync(join(logs, `${id}.out`), 'a')
      const env = { PATH: process.env['PATH'], PILOTHOUSE_INSTANCE: id, PILOTHOUSE_SERVICE: serviceName }
      const child = spawn('sleep', ['600'], { detached: true, stdio: ['ignore', output, output], env })
      child.unref()
      return child
    }
    const own = start('old-1', join(edge.directory, 'logs'))
    const elsewhere = start('old-2', tmpdir())
    try {
      const ended = once(own, 'exit')
      await edge.crash()
      await ended
      expect(await runs(elsewhere.pid ?? 0)).toBe(true)
      // Those that the state names are not affected.
      expect(await edge.pids()).toEqual(pids)
    } finally {
      for (const each of [own, elsewhere]) each.kill('SIGKILL')
      rmSync(join(tmpdir(), 'old-2.out'), { force: true })
    }
  }, 120_000)

  it('leaves the instances of the directory that its own was copied from alone', async () => {
    const copy = new Edge(realpathSync(mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))))
    cpSync(edge.directory, copy.directory, {
      recursive: true,
      filter: (path) => !/edge\.(sock|lock|json)$/.test(path),
    })
    await copy.start()
    try {
      // Its port is taken by the other one: it starts its instances all the same.
      copy.shop = new TestService(copy.platform, '')
      await copy.shop.healthy('r1', 2)
      const copies = await copy.pids()
      expect(copies.filter((pid) => pids.includes(pid))).toEqual([])
    } finally {
      await copy.end()
    }
    expect(await Promise.all(pids.map(runs))).toEqual([true, true])
    expect(await edge.pids()).toEqual(pids)
  }, 120_000)
})
