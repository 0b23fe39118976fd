import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import type { Deployment, PlanOptions, RollbackOutcome, ServiceState } from '../../../src/contract/index.ts'
import { ask } from '../../support/load.ts'
import { launchAddress, sessionOf } from '../../support/sign-in.ts'
import { until } from '../../support/until.ts'
import { startNode, type Ended } from '../cli/process.ts'

const entry = fileURLToPath(new URL('../cli/entry.ts', import.meta.url))
export const shop = fileURLToPath(new URL('./shop.mjs', import.meta.url))

/** A real engine on a real edge with one configured service `shop` and releases r1 to r3; r3 fails every third request. */
export class Steered implements AsyncDisposable {
  readonly directory: string
  readonly address: string
  #engine: ReturnType<typeof startNode> | undefined
  #origin = ''
  #token = ''

  private constructor(directory: string, port: number) {
    this.directory = directory
    this.address = `http://127.0.0.1:${port}`
  }

  /** With screens that need no build, unless others are given; without `shop` when it shall begin empty. */
  static async start(screens?: string, isEmpty = false): Promise<Steered> {
    const directory = await mkdtemp(join(tmpdir(), 'ph-ship-'))
    const port = await freePort()
    if (screens) await symlink(screens, join(directory, 'screens'))
    else {
      await mkdir(join(directory, 'screens'))
      await writeFile(join(directory, 'screens', 'index.html'), '<!doctype html>')
    }
    const release = (errors: string) => ({ command: [process.execPath, shop], env: { ERRORS: errors } })
    const config = {
      services: {
        shop: {
          listen: { port },
          health: { path: '/health', interval: '200ms' },
          drain: '2s',
          grace: '1s',
          deploy: {
            steps: [{ weight: 30, hold: '4s' }],
            metricsEvery: '1s',
            maxTime: '10m',
            keepStableWarm: '1s',
            limits: { warmUp: '0s', minSamples: 10, strikes: 2, maxLatencyRegression: 100 },
          },
          releases: { r1: release('0'), r2: release('0'), r3: release('0.34') },
        },
      },
    }
    await writeFile(join(directory, 'pilothouse.json'), JSON.stringify(isEmpty ? {} : config))
    const steered = new Steered(directory, port)
    await steered.startEngine()
    return steered
  }

  async startEngine(): Promise<void> {
    const args = [join(this.directory, 'screens'), 'serve', '--no-open', '--port', '0', '--data-dir', 'data']
    this.#engine = startNode(entry, args, this.directory)
    const [url] = await this.#engine.until('stdout', /http:\/\/127\.0\.0\.1:\d+\/\S*/)
    this.#origin = new URL(url).origin
    this.#token = await sessionOf(url)
  }

  /** A new address to open in a browser, once. */
  launchUrl(): Promise<string> {
    return launchAddress(this.#origin, this.#token)
  }

  signalEngine(signal: NodeJS.Signals): void {
    this.#engine?.signal(signal)
  }

  async killEngine(): Promise<void> {
    this.#engine?.signal('SIGKILL')
    await this.#engine?.ended
  }

  call<T>(path: string, body?: unknown): Promise<T> {
    return this.#send(body === undefined ? 'GET' : 'POST', path, body)
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#send('PUT', path, body)
  }

  async #send<T>(method: string, path: string, body: unknown): Promise<T> {
    const answer = await fetch(`${this.#origin}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const value = (await answer.json()) as T
    if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(value)}`)
    return value
  }

  async service(): Promise<ServiceState | undefined> {
    return (await this.call<ServiceState[]>('/services'))[0]
  }

  /** Starts a deployment as soon as the engine has looked at the service. */
  async deploy(releaseId: string, options: PlanOptions = {}): Promise<Deployment> {
    await until('the service is looked at', async () => (await this.service())?.trouble === '' || undefined)
    return this.call<Deployment>('/deployments', { service: 'shop', releaseId, options, why: 'a test' })
  }

  /** The command line beside this engine. */
  command(...args: string[]): Promise<Ended> {
    const all = [join(this.directory, 'screens'), ...args, '--data-dir', 'data']
    return startNode(entry, all, this.directory).ended
  }

  rollBack(): Promise<RollbackOutcome[]> {
    return this.call<RollbackOutcome[]>('/rollback', { services: ['shop'], why: 'a test' })
  }

  /** The deployment once `holds`. */
  deployment(id: string, what: string, holds: (deployment: Deployment) => boolean): Promise<Deployment> {
    return until(
      `${id} ${what}`,
      async () => {
        const found = await this.call<Deployment>(`/deployments/${id}`)
        return holds(found) ? found : undefined
      },
      120_000,
    )
  }

  ended(id: string): Promise<Deployment> {
    return this.deployment(id, 'has ended', ({ endedAtMs }) => endedAtMs !== null)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killEngine()
    await this.command('edge', 'stop', '--with-instances')
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Steady requests at about 60 a second; a failure is anything that the service itself did not answer. */
export class Shoppers {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #failures: string[] = []
  readonly #answers = new Map<string, number>()
  readonly #done: Promise<unknown>
  #isStopped = false

  constructor(address: string) {
    const shopper = async () => {
      while (!this.#isStopped) {
        try {
          const { status, text } = await ask(address, this.#agent)
          if (/^r\d$/.test(text)) this.#answers.set(text, (this.#answers.get(text) ?? 0) + 1)
          else this.#failures.push(`${status} ${text}`)
        } catch (failure) {
          this.#failures.push(String(failure))
        }
        await wait(50)
      }
    }
    this.#done = Promise.all([shopper(), shopper(), shopper()])
  }

  answersOf(release: string): number {
    return this.#answers.get(release) ?? 0
  }

  async stop(): Promise<string[]> {
    this.#isStopped = true
    await this.#done
    this.#agent.destroy()
    return this.#failures
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
