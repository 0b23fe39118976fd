import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Deployment, RollbackOutcome, ServiceState } from '../../src/contract/index.ts'
import { startNode } from '../ports/cli/process.ts'
import { ask } from '../support/load.ts'
import { sessionOf } from '../support/sign-in.ts'
import { until } from '../support/until.ts'

const entry = fileURLToPath(new URL('../ports/cli/entry.ts', import.meta.url))
const shop = fileURLToPath(new URL('../ports/deployments/shop.mjs', import.meta.url))

const serviceCount = 50
/** Rounds of all services at once, and rounds of each by itself. */
const rounds = 2
const commandCount = 10
const watchMs = 20_000
/** Each service is asked this often, one request at a time. */
const askEveryMs = 250
const slow = 120_000

export interface RollbackResult {
  serviceCount: number
  /** From the order's arrival at the engine to the router's verified answer. */
  oneService: Spread
  /** The same for the last of all services, as the caller sees it: HTTP and the other services included. */
  allServices: Spread
  /** From the start of the command to its end with a verified answer: Node's start included. */
  command: Spread
  requests: number
  failedRequests: number
  /** Requests that began after an order was answered and still met the candidate. */
  requestsToCandidateAfterwards: number
  monitoring: {
    /** CPU of the engine's process, share of a core, its own telemetry included. */
    engineCoreShareIdle: number
    engineCoreShareInCanary: number
    engineCoreShareACanary: number
    /** CPU of the edge for a request; its share that a canary adds. */
    edgeMicrosecondsARequestIdle: number
    edgeMicrosecondsARequestInCanary: number
  }
}

interface Spread {
  tries: number
  p50Ms: number
  p99Ms: number
  worstMs: number
}

/** Emergency rollback through a whole engine, edge and real traffic, and what watching canaries costs. */
export async function run(): Promise<RollbackResult> {
  const directory = await mkdtemp(join(tmpdir(), 'ph-bench-'))
  const names = Array.from({ length: serviceCount }, (_, i) => `s${i}`)
  const ports = await freePorts(serviceCount)
  await mkdir(join(directory, 'screens'))
  await writeFile(join(directory, 'screens', 'index.html'), '<!doctype html>')
  await writeFile(join(directory, 'pilothouse.json'), JSON.stringify(configOf(names, ports)))
  const command = (...args: string[]) =>
    startNode(entry, [join(directory, 'screens'), ...args, '--data-dir', 'data'], directory)
  const engine = command('serve', '--no-open', '--port', '0')
  const shoppers = new Shoppers(ports)
  try {
    const [url] = await engine.until('stdout', /http:\/\/127\.0\.0\.1:\d+\/\S*/)
    const api = new Api(new URL(url).origin, await sessionOf(url))
    await api.deployAll(names, 'r1', ({ phase }) => phase === 'promoted')
    shoppers.start()
    const edgePid = Number(/pid (\d+)/.exec((await command('edge', 'status').ended).stdout)?.[1])
    const watch = async () => {
      const [cpu, edge, asked, startedAt] = [
        cpuMs(api.pid),
        cpuMs(edgePid),
        shoppers.asked,
        performance.now(),
      ]
      await wait(watchMs)
      return {
        engineCoreShare: (cpuMs(api.pid) - cpu) / (performance.now() - startedAt),
        edgeMicroseconds: ((cpuMs(edgePid) - edge) * 1000) / (shoppers.asked - asked),
      }
    }
    api.pid = engine.pid
    const idle = await watch()

    const one: number[] = []
    const all: number[] = []
    const commands: number[] = []
    let inCanary = idle
    for (let round = 0; round < 2 * rounds; round++) {
      await api.deployAll(names, 'r2', ({ weight }) => weight === 30)
      if (round === 0) inCanary = await watch()
      if (round % 2 === 0) {
        const startedAt = performance.now()
        const outcomes = await api.rollBack()
        all.push(performance.now() - startedAt)
        shoppers.returned(names)
        requireAll(outcomes, serviceCount)
      } else {
        const byCommand = names.slice(0, commandCount / rounds)
        for (const name of byCommand) {
          const startedAt = performance.now()
          const { code, stderr } = await command('rollback', name).ended
          commands.push(performance.now() - startedAt)
          if (code !== 0) throw new Error(stderr)
          shoppers.returned([name])
        }
        for (const name of names.slice(byCommand.length)) {
          const outcomes = await api.rollBack(name)
          shoppers.returned([name])
          one.push(requireAll(outcomes, 1)[0]!.tookMs)
        }
      }
      await api.resumeAll(names)
    }
    await shoppers.stop()
    return {
      serviceCount,
      oneService: spread(one),
      allServices: spread(all),
      command: spread(commands),
      requests: shoppers.asked,
      failedRequests: shoppers.failures.length,
      requestsToCandidateAfterwards: shoppers.lateCount,
      monitoring: {
        engineCoreShareIdle: idle.engineCoreShare,
        engineCoreShareInCanary: inCanary.engineCoreShare,
        engineCoreShareACanary: (inCanary.engineCoreShare - idle.engineCoreShare) / serviceCount,
        edgeMicrosecondsARequestIdle: idle.edgeMicroseconds,
        edgeMicrosecondsARequestInCanary: inCanary.edgeMicroseconds,
      },
    }
  } finally {
    await shoppers.stop()
    engine.signal('SIGTERM')
    await engine.ended
    await command('edge', 'stop', '--with-instances').ended
    await rm(directory, { recursive: true, force: true })
  }
}

const configOf = (names: readonly string[], ports: readonly number[]) => ({
  services: Object.fromEntries(
    names.map((name, i) => {
      const release = { command: [process.execPath, shop] }
      return [
        name,
        {
          listen: { port: ports[i] },
          health: { path: '/health', interval: '1s' },
          drain: '1s',
          grace: '1s',
          deploy: {
            steps: [{ weight: 30, hold: '1h' }],
            keepStableWarm: '0s',
            progressDeadline: '5m',
            limits: { maxLatencyRegression: 1000 },
          },
          releases: { r1: release, r2: release },
        },
      ]
    }),
  ),
})

class Api {
  readonly #origin: string
  readonly #headers: Record<string, string>
  pid = 0

  constructor(origin: string, token: string) {
    this.#origin = origin
    this.#headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  }

  async call<T>(path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.#origin}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: this.#headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const value = (await answer.json()) as T
    if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(value)}`)
    return value
  }

  /** Deploys to every service, and waits until all `hold`. */
  async deployAll(names: readonly string[], releaseId: string, holds: (deployment: Deployment) => boolean) {
    await this.#allServices(
      'is ready',
      ({ trouble, deploymentId }) => trouble === '' && deploymentId === null,
    )
    const asked = await Promise.all(
      names.map((service) => this.call<Deployment>('/deployments', { service, releaseId })),
    )
    for (const { id, service } of asked) {
      let last = ''
      const look = async () => {
        const found = await this.call<Deployment>(`/deployments/${id}`)
        last = `${found.phase} at ${found.weight} %: ${found.reason}`
        if (found.endedAtMs !== null && !holds(found)) throw new Error(`${service}: ${found.reason}`)
        return holds(found) || undefined
      }
      await until(`${releaseId} of ${service}`, look, slow).catch((failure: unknown) => {
        throw new Error(`${service} is ${last}`, { cause: failure })
      })
    }
  }

  rollBack(service?: string) {
    return this.call<RollbackOutcome[]>('/rollback', service === undefined ? {} : { services: [service] })
  }

  async resumeAll(names: readonly string[]) {
    await this.#allServices(
      'stands still',
      (state) => state.automationStopped !== null && state.deploymentId === null,
    )
    for (const name of names) await this.call(`/services/${name}/resume`, {})
  }

  #allServices(what: string, holds: (service: ServiceState) => boolean) {
    const look = async () => (await this.call<ServiceState[]>('/services')).every(holds) || undefined
    return until(`every service ${what}`, look, slow)
  }
}

/** One request after the other to each service. */
class Shoppers {
  readonly failures: string[] = []
  asked = 0
  lateCount = 0
  readonly #ports: readonly number[]
  readonly #agent = new Agent({ keepAlive: true })
  /** When the order about a service was answered; nothing that begins later may meet the candidate. */
  readonly #returnedAt = new Map<string, number>()
  #done: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(ports: readonly number[]) {
    this.#ports = ports
  }

  start(): void {
    const shopper = async (port: number, i: number) => {
      await wait((askEveryMs * i) / serviceCount)
      while (!this.#isStopped) {
        const startedAt = performance.now()
        try {
          const { status, text } = await ask(`http://127.0.0.1:${port}`, this.#agent)
          if (status !== 200) this.failures.push(`${status} ${text}`)
          const isLate = startedAt > (this.#returnedAt.get(`s${i}`) ?? Infinity)
          if (text === 'r2' && isLate) this.lateCount += 1
          if (text === 'r1' && isLate) this.#returnedAt.delete(`s${i}`)
        } catch (failure) {
          this.failures.push(String(failure))
        }
        this.asked += 1
        await wait(askEveryMs)
      }
    }
    this.#done = Promise.all(this.#ports.map(shopper))
  }

  returned(names: readonly string[]): void {
    for (const name of names) this.#returnedAt.set(name, performance.now())
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#done
    this.#agent.destroy()
  }
}

function requireAll(outcomes: RollbackOutcome[], count: number): RollbackOutcome[] {
  const failed = outcomes.find(({ ok }) => !ok)
  if (failed) throw new Error(failed.text)
  if (outcomes.length !== count) throw new Error(`${outcomes.length} services went back, not ${count}`)
  return outcomes
}

function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
  return { tries: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1) }
}

/** CPU time of a process, user and system; Linux counts 100 ticks a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
