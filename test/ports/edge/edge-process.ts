import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EdgeClient, edgePlatform } from '../../../src/adapters/platforms/edge/index.ts'
import type { Router, Target } from '../../../src/engine/platforms/index.ts'
import { systemClock } from '../../../src/adapters/system/index.ts'
import { edgeSocketPath } from '../../../src/hosts/edge/places.ts'
import { stopEdge } from '../../../src/hosts/edge/stop.ts'
import { startNode } from '../cli/process.ts'

const entry = join(import.meta.dirname, '../../../src/hosts/edge/main.ts')

/** A real edge as a process of its own, on a directory that lives as long as the test. */
export class EdgeProcess implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'pilothouse-edge-'))
  readonly client: EdgeClient
  readonly target: Target
  readonly router: Router
  #process: ReturnType<typeof startNode> | null = null

  constructor() {
    this.client = new EdgeClient({ socketPath: edgeSocketPath(this.directory), timeoutMs: 100_000 })
    const { target, router } = edgePlatform(this.client)
    this.target = target
    this.router = router
  }

  static async start(): Promise<EdgeProcess> {
    const edge = new EdgeProcess()
    await edge.start()
    return edge
  }

  async start(): Promise<void> {
    const args = ['--directory', this.directory]
    this.#process = startNode(entry, args, this.directory)
    await this.#process.until('stdout', /edge serves at/)
  }

  /** Another edge process on the same directory, which must refuse to run. */
  startSecond() {
    return startNode(entry, ['--directory', this.directory], this.directory).ended
  }

  /** Ends the process by `signal` and waits for it. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#process?.signal(signal)
    await this.#process?.ended
  }

  /** Ends the edge and all its instances, as `edge stop --with-instances` does. */
  async stopWithInstances(): Promise<void> {
    // The one that runs by now: it may have taken over from the one that was started here.
    const stopped = await stopEdge(this.client, {
      directory: this.directory,
      clock: systemClock(),
      withInstances: true,
      withinMs: 100_000,
    })
    if (!stopped.ok) this.#process?.signal('SIGKILL')
    await this.#process?.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { directory } = this
    await this.stopWithInstances()
    await this.client[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20 })
  }
}
