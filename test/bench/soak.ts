import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { demoConfig, demoServices } from '../../src/hosts/demo/index.ts'
import { startNode } from '../ports/cli/process.ts'
import { ask } from '../support/load.ts'
import { liveMb } from './live-heap.ts'

const dist = join(import.meta.dirname, '../../dist/node')
const minutes = Number(process.env['PILOTHOUSE_SOAK_MINUTES'] ?? 60)
const requestsPerSecond = 200
const deployEveryMs = 120_000
const killEveryMs = 300_000
/** A process that has just started fills caches and compiles code: slopes need lives without kills, past that. */
const calmShare = 0.6
const warmUpSeconds = 600
/** Requests that break within this time of a kill of the edge were in flight on it. */
const aroundKillMs = 3000
const kinds = ['good', 'errors', 'slow-tail', 'memory-leak', 'never-healthy', 'slow-start'] as const

interface SoakResult {
  minutes: number
  requests: number
  /** Answered with 500 by a release that is made to fail. */
  failedByRelease: number
  /** Broken connections and 502, 503, 504 close to a kill of the edge, which had them in flight. */
  failedAroundEdgeKills: number
  /** All other failures: the goal is 0. */
  failed: number
  deployments: Record<string, number>
  kills: { engine: number; edge: number }
  /** Until the edge answered its status again, worst. */
  worstEdgeReturnMs: number
  /** Over the last life of each, which nothing killed. */
  slopes: Record<'engine' | 'edge', Slope>
  isAuditWhole: boolean
}

interface Slope {
  minutes: number
  memoryMbPerHour: number
  descriptorsPerHour: number
  /** Means of the first and of the last quarter. */
  memoryMb: [number, number]
  descriptors: [number, number]
  /** Alive after a full collection, every five minutes of that life. */
  liveMb: number[]
}

/**
 * The built product under a constant load, with a deployment every two minutes, and in the first half with a kill -9 of
 * engine and edge in turn. `PILOTHOUSE_SOAK_MINUTES` is 60 unless set. It needs `npm run build` before.
 */
export async function run(): Promise<SoakResult | undefined> {
  if (process.env['PILOTHOUSE_SOAK_MINUTES'] === undefined) {
    console.log('  left out: it takes an hour; set PILOTHOUSE_SOAK_MINUTES to run it')
    return undefined
  }
  if (!existsSync(join(dist, 'cli.js'))) throw new Error('run npm run build first')
  const directory = await mkdtemp(join(tmpdir(), 'ph-soak-'))
  const ports = Object.fromEntries(
    await freePorts(demoServices.length).then((free) => demoServices.map((name, i) => [name, free[i] ?? 0])),
  ) as Record<(typeof demoServices)[number], number>
  const program = [process.execPath, join(dist, 'shop.js')]
  await writeFile(join(directory, 'pilothouse.yaml'), demoConfig({ program, ports }))
  const cli = (...args: string[]) =>
    startNode(join(dist, 'cli.js'), [...args, '--data-dir', join(directory, 'data')], directory)
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout } = await cli(...args, '--json').ended
    return code === 0 ? JSON.parse(stdout) : undefined
  }
  const serve = async () => {
    const engine = cli('serve', '--no-open', '--port', '0')
    await engine.until('stdout', /http:\/\/127\.0\.0\.1:\d+/)
    return engine
  }
  const edgePid = async () => ((await json('edge', 'status')) as { pid?: number } | undefined)?.pid ?? 0

  let engine = await serve()
  for (const name of demoServices)
    await cli('deploy', name, 'v1', '--set', 'skipAnalysis=true', '--watch').ended
  const visitors = new Visitors(`http://127.0.0.1:${ports.catalog}`)
  const meter = new Meter()
  const deployments: Record<string, number> = {}
  const kills = { engine: 0, edge: 0 }
  let worstEdgeReturnMs = 0
  const startedAt = performance.now()
  const endAt = startedAt + minutes * 60_000
  const calmFrom = endAt - minutes * 60_000 * calmShare
  let [nextDeployAt, nextKillAt, nextWordAt, turn] = [startedAt, startedAt + killEveryMs, startedAt, 0]
  let pid = await edgePid()
  let saidFailures = 0
  const first = await ask(`http://127.0.0.1:${ports.catalog}`, new Agent(), '/products')
  if (first.status !== 200) throw new Error(`the service answers ${first.status} ${first.text}`)
  visitors.start()
  try {
    while (performance.now() < endAt) {
      if (performance.now() >= nextDeployAt) {
        const kind = kinds[turn % kinds.length] ?? 'good'
        // The release that runs cannot be its own candidate: a good one alternates with the first.
        const state = (await json('services', 'catalog')) as { stableReleaseId?: string } | undefined
        const release = kind === 'good' && state?.stableReleaseId === 'good' ? 'v1' : kind
        const { code } = await cli('deploy', 'catalog', release, '--supersede').ended
        const key = `${kind} ${code === 0 ? 'started' : 'refused'}`
        deployments[key] = (deployments[key] ?? 0) + 1
        turn += 1
        nextDeployAt += deployEveryMs
      }
      if (performance.now() >= nextKillAt && nextKillAt < calmFrom) {
        if ((kills.engine + kills.edge) % 2 === 0) {
          engine.signal('SIGKILL')
          await engine.ended
          kills.engine += 1
          engine = await serve()
          meter.restart('engine')
        } else {
          const killedAt = performance.now()
          visitors.edgeKilledAt = killedAt
          process.kill(pid, 'SIGKILL')
          kills.edge += 1
          await visitors.answered()
          worstEdgeReturnMs = Math.max(worstEdgeReturnMs, performance.now() - killedAt)
          pid = await edgePid()
          meter.restart('edge')
        }
        nextKillAt += killEveryMs
      }
      meter.take('engine', engine.pid)
      meter.take('edge', pid)
      if (performance.now() >= nextWordAt) {
        const passed = Math.round((performance.now() - startedAt) / 60_000)
        const counts = `${visitors.asked} requests, ${visitors.failures.length} failed`
        console.log(`  ${passed} min: ${counts}; ${meter.text('engine')}; ${meter.text('edge')}`)
        for (const failure of visitors.failures.slice(saidFailures, saidFailures + 5))
          console.log(`    ${failure}`)
        saidFailures = visitors.failures.length
        await meter.collect('engine', engine.pid)
        await meter.collect('edge', pid)
        nextWordAt += killEveryMs
      }
      await wait(5000)
    }
    await visitors.stop()
    for (const { phase } of ((await json('deployments', 'list', '--limit', '100')) ?? []) as {
      phase: string
    }[])
      deployments[phase] = (deployments[phase] ?? 0) + 1
    const audit = await cli('audit', 'verify').ended
    return {
      minutes,
      requests: visitors.asked,
      failedByRelease: visitors.failedByRelease,
      failedAroundEdgeKills: visitors.failedAroundEdgeKills,
      failed: visitors.failures.length,
      deployments,
      kills,
      worstEdgeReturnMs,
      slopes: { engine: meter.slope('engine'), edge: meter.slope('edge') },
      isAuditWhole: audit.code === 0,
    }
  } finally {
    for (const failure of visitors.failures.slice(0, 20)) console.log(`  ${failure}`)
    engine.signal('SIGTERM')
    await engine.ended
    await cli('edge', 'stop', '--with-instances').ended
    await rm(directory, { recursive: true, force: true })
  }
}

/** Requests at a constant rate, each on its own, over kept connections. */
class Visitors {
  asked = 0
  failedByRelease = 0
  failedAroundEdgeKills = 0
  readonly failures: string[] = []
  edgeKilledAt = -Infinity
  readonly #address: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 })
  readonly #underWay = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #lastAnswerAt = -Infinity

  constructor(address: string) {
    this.#address = address
  }

  start(): void {
    const everyMs = 50
    const perTick = (requestsPerSecond * everyMs) / 1000
    this.#timer = setInterval(() => {
      for (let i = 0; i < perTick; i++) {
        const asking = this.#ask().finally(() => this.#underWay.delete(asking))
        this.#underWay.add(asking)
      }
    }, everyMs)
  }

  /** Resolves when a request that is asked from now on was answered. */
  async answered(): Promise<void> {
    const from = performance.now()
    while (this.#lastAnswerAt < from) await wait(5)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#underWay)
    this.#agent.destroy()
  }

  async #ask(): Promise<void> {
    const startedAt = performance.now()
    this.asked += 1
    try {
      const { status, text } = await ask(this.#address, this.#agent, '/products')
      if (status === 200) this.#lastAnswerAt = Math.max(this.#lastAnswerAt, startedAt)
      else if (status === 500) this.failedByRelease += 1
      else this.#failed(startedAt, `${status} ${text.slice(0, 100)}`)
    } catch (failure) {
      this.#failed(startedAt, String(failure))
    }
  }

  #failed(startedAt: number, what: string): void {
    const sinceKillMs = performance.now() - this.edgeKilledAt
    if (startedAt < this.edgeKilledAt + aroundKillMs && sinceKillMs < 60_000) this.failedAroundEdgeKills += 1
    else this.failures.push(`${new Date().toISOString()} ${what}`)
  }
}

interface Taken {
  seconds: number
  mb: number
  descriptors: number
}

/** Memory and descriptors of processes over time; the slope is fitted over the last life of each. */
class Meter {
  readonly #taken: Record<string, Taken[]> = {}
  readonly #live: Record<string, number[]> = {}

  take(name: string, pid: number): void {
    const status = pid > 0 && existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : ''
    const kb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN)
    if (Number.isNaN(kb)) return
    ;(this.#taken[name] ??= []).push({
      seconds: performance.now() / 1000,
      mb: kb / 1024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    })
  }

  async collect(name: string, pid: number): Promise<void> {
    ;(this.#live[name] ??= []).push(await liveMb(pid).catch(() => NaN))
  }

  restart(name: string): void {
    this.#taken[name] = []
    this.#live[name] = []
  }

  text(name: string): string {
    const last = this.#taken[name]?.at(-1)
    return last ? `${name} ${Math.round(last.mb)} MB, ${last.descriptors} descriptors` : `${name} gone`
  }

  slope(name: string): Slope {
    const life = this.#taken[name] ?? []
    const warm = life.filter(({ seconds }) => seconds - (life[0]?.seconds ?? 0) > warmUpSeconds)
    const quarter = Math.max(1, Math.floor(warm.length / 4))
    const ends = (of: (taken: Taken) => number): [number, number] => [
      mean(warm.slice(0, quarter).map(of)),
      mean(warm.slice(-quarter).map(of)),
    ]
    return {
      minutes: ((warm.at(-1)?.seconds ?? 0) - (warm[0]?.seconds ?? 0)) / 60,
      memoryMbPerHour: slopeOf(warm.map(({ seconds, mb }) => [seconds, mb])) * 3600,
      descriptorsPerHour: slopeOf(warm.map(({ seconds, descriptors }) => [seconds, descriptors])) * 3600,
      memoryMb: ends(({ mb }) => mb),
      descriptors: ends(({ descriptors }) => descriptors),
      liveMb: this.#live[name] ?? [],
    }
  }
}

const mean = (values: number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

/** Least squares. */
function slopeOf(points: [number, number][]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return below === 0 ? 0 : above / below
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
